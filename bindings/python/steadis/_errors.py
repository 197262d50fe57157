"""One class for each kind of error. A kind answers "what do I do now?"."""

from __future__ import annotations

import builtins
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar


class Error(Exception):
    """What every error of Steadis is."""

    kind: ClassVar[str] = "Error"
    #: The name of redis-py's matching class.
    _of_redis_py: ClassVar[str] = "RedisError"

    #: The same call can succeed later, and calling it again cannot execute a write twice.
    retryable: bool
    #: The command was sent, its answer never came: it may have run.
    maybe_executed: bool
    #: The server's code word, such as ``WRONGTYPE``.
    code: str | None
    #: The command that failed, by name only.
    command: str | None
    #: The node that it concerns.
    address: str | None

    def __init__(
        self,
        message: str = "",
        *,
        retryable: bool = False,
        maybe_executed: bool = False,
        code: str | None = None,
        command: str | None = None,
        address: str | None = None,
    ) -> None:
        super().__init__(message)
        self.retryable = retryable
        self.maybe_executed = maybe_executed
        self.code = code
        self.command = command
        self.address = address

    def __repr__(self) -> str:
        # Classes of redis-py would show it by what only they set.
        return f"{type(self).__name__}({str(self)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        # By the class that everybody has: the other process may be without redis-py.
        public = next(cls for cls in type(self).__mro__ if cls in _PUBLIC)
        return _again, (public, self.args, dict(vars(self)))


class ConfigError(Error, ValueError):
    """Settings are wrong or missing: fix the one the message names."""

    kind = "Config"


class UsageError(Error, ValueError):
    """The call is wrong, in its arguments or its moment: fix the call."""

    kind = "Usage"
    _of_redis_py = "DataError"


class UnavailableError(Error, builtins.ConnectionError):
    """No verified primary within the deadline; the command did not run: try again later."""

    kind = "Unavailable"
    _of_redis_py = "ConnectionError"


class TimeoutError(Error, builtins.TimeoutError):
    """The deadline passed before the command was sent, or while it only read; no write ran."""

    kind = "Timeout"
    _of_redis_py = "TimeoutError"


class MaybeExecutedError(Error):
    """A write was sent and its answer never came: look, or repeat it if that does no harm.

    Not a :class:`ConnectionError`: code that repeats after one of those would run it twice.
    """

    kind = "MaybeExecuted"


class AuthError(Error):
    """Credentials or rights were refused; the message says by which side."""

    kind = "Auth"
    _of_redis_py = "AuthenticationError"


class ServerError(Error):
    """The server's own error, word for word."""

    kind = "Server"
    _of_redis_py = "ResponseError"


class BusyError(Error):
    """One of our limits is reached: slow down."""

    kind = "Busy"


class ClosedError(Error, builtins.ConnectionError):
    """The client was closed."""

    kind = "Closed"
    _of_redis_py = "ConnectionError"


class InternalError(Error):
    """A mistake of ours; the process lives on: report it."""

    kind = "Internal"


class LockError(Error):
    """A lock could not be acquired, or is not held any more by whoever releases it."""

    kind = "Usage"
    _of_redis_py = "LockError"


_BY_KIND: dict[str, type[Error]] = {
    cls.kind: cls
    for cls in (
        ConfigError,
        UsageError,
        UnavailableError,
        TimeoutError,
        MaybeExecutedError,
        AuthError,
        ServerError,
        BusyError,
        ClosedError,
        InternalError,
    )
}
_PUBLIC: frozenset[type[Error]] = frozenset({Error, LockError, *_BY_KIND.values()})
for _cls in _PUBLIC:
    _cls.__module__ = "steadis"
_raised: dict[tuple[type[Error], bool], type[Error]] = {}


def raised_as(cls: type[Error]) -> type[Error]:
    """The class that is raised for ``cls``.

    Whoever catches redis-py's classes has imported it. Then ours are derived from those, and the
    ``except`` clauses of a program that moves over keep their meaning.
    """
    theirs = sys.modules.get("redis.exceptions")
    found = _raised.get((cls, theirs is not None))
    if found is None:
        found = cls
        if theirs is not None:
            bases = (cls, getattr(theirs, cls._of_redis_py))
            members = {"__module__": cls.__module__, "__doc__": cls.__doc__}
            found = type(cls.__name__, bases, members)
        _raised[cls, theirs is not None] = found
    return found


def usage(message: str) -> Error:
    """The error for a call that is wrong, ready to be raised."""
    return raised_as(UsageError)(message)


def make(kind: str, message: str, **details: Any) -> Error:
    """An error of this kind, ready to be raised."""
    return raised_as(_BY_KIND[kind])(message, **details)


def _again(cls: type[Error], args: tuple[Any, ...], details: dict[str, Any]) -> Error:
    error = raised_as(cls)(*args)
    vars(error).update(details)
    return error
