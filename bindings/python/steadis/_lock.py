"""Locks that clients share through the server."""

from __future__ import annotations

import os
import time

from steadis import _errors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Self

#: Both do something only for whoever holds the lock.
RELEASE = "return redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('DEL', KEYS[1]) or 0"
EXTEND = (
    "return redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('PEXPIRE', KEYS[1], ARGV[2]) or 0"
)


class LockState:
    """What a lock is, whoever waits for it."""

    def __init__(
        self,
        client: Any,
        name: str | bytes,
        timeout: float | None,
        blocking: bool,
        blocking_timeout: float | None,
        sleep: float,
    ) -> None:
        if timeout is not None and timeout <= 0:
            raise _errors.usage(
                "timeout of a lock is how many seconds it lasts; give more than zero, or None"
            )
        self.name = name
        #: Whoever knows it holds the lock.
        self.token: str | None = None
        self._client = client
        self._lasts = None if timeout is None else max(1, round(timeout * 1000))
        self._blocking = blocking
        self._patience = blocking_timeout
        self._pause = sleep
        self._release = client.script(RELEASE)
        self._extend = client.script(EXTEND)

    def _deadline(self, blocking: bool | None, patience: float | None) -> float | None:
        """Until when to try; ``None`` is for ever."""
        if not (self._blocking if blocking is None else blocking):
            return 0.0
        patience = self._patience if patience is None else patience
        return None if patience is None else time.monotonic() + patience

    def _pause_before(self, deadline: float | None) -> float | None:
        """How long to wait for the next try; ``None``: there is none."""
        if deadline is None:
            return self._pause
        return self._pause if time.monotonic() + self._pause < deadline else None

    def _held(self) -> str:
        if self.token is None:
            raise self._lost("is not held by this object")
        return self.token

    def _lost(self, what: str) -> _errors.Error:
        return _errors.raised_as(_errors.LockError)(f"the lock {self.name!r} {what}")


class Lock(LockState):
    """A lock with a token: only its holder can release or extend it.

    A failover that loses the write which took it lets a second holder in; see the documents.
    """

    def acquire(self, blocking: bool | None = None, blocking_timeout: float | None = None) -> bool:
        """Takes the lock; ``False`` if somebody else held it all the time."""
        token = os.urandom(16).hex()
        deadline = self._deadline(blocking, blocking_timeout)
        while not self._client.set(self.name, token, nx=True, px=self._lasts):
            pause = self._pause_before(deadline)
            if pause is None:
                return False
            time.sleep(pause)
        self.token = token
        return True

    def release(self) -> None:
        """Gives the lock back."""
        token, self.token = self._held(), None
        if not self._release(keys=[self.name], args=[token]):
            raise self._lost("had run out before it was released")

    def extend(self, seconds: float) -> None:
        """Lets the lock last so many seconds from now."""
        if not self._extend(keys=[self.name], args=[self._held(), round(seconds * 1000)]):
            raise self._lost("had run out before it was extended")

    def locked(self) -> bool:
        """Whether anybody holds it."""
        return bool(self._client.exists(self.name))

    def owned(self) -> bool:
        """Whether this object holds it."""
        if self.token is None:
            return False
        value = self._client.get(self.name)
        return value in (self.token, self.token.encode())

    def __enter__(self) -> Self:
        if not self.acquire():
            raise self._lost("could not be acquired in time")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()
