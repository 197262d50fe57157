"""The way of a redis-py connection to the primary, whether it blocks or is awaited."""

from __future__ import annotations

import json
import ssl
import weakref
from typing import Any

import redis

from steadis import _errors, _steadis, _tls
from steadis._resolver import Primary, Resolver

#: What redis-py takes off the beginning of an error.
_CODES: tuple[tuple[type[Exception], str], ...] = (
    (redis.exceptions.ReadOnlyError, "READONLY "),
    (redis.exceptions.BusyLoadingError, "LOADING "),
    *(
        (getattr(redis.exceptions, name), code)
        for name, code in (("MasterDownError", "MASTERDOWN "), ("TryAgainError", "TRYAGAIN "))
        if hasattr(redis.exceptions, name)
    ),
)

_resolvers: dict[str, Resolver] = {}
_connections: weakref.WeakSet[Any] = weakref.WeakSet()


def resolver(url: str) -> Resolver:
    """The resolver of this process for a URL; the empty one means the environment."""
    found = _resolvers.get(url)
    if found is None:
        fresh = Resolver(url or None)
        found = _resolvers.setdefault(url, fresh)
        if found is fresh:
            found.on_change(_cut_others(url))
    return found


def _cut_others(url: str) -> Any:
    def cut(primary: Primary | None) -> None:
        """Whoever waits on a connection to an earlier primary would wait in vain."""
        if primary is not None:
            for connection in list(_connections):
                way: Way = connection.way
                if way.url == url and way.epoch not in (0, primary.epoch):
                    connection.cut()

    return cut


def pool_options(options: dict[str, Any]) -> dict[str, Any]:
    """What a pool is made with: nothing in it that cannot be pickled."""
    if hasattr(redis, "maint_notifications"):
        # These announce moves of a hosted product, and keep a lock among the options.
        disabled = redis.maint_notifications.MaintNotificationsConfig(enabled=False)
        options.setdefault("maint_notifications_config", disabled)
    return options


class Way:
    """What one connection knows: where it leads, and what it has sent."""

    def __init__(self, url: str, connection: Any) -> None:
        self.url = url
        self.resolver = resolver(url)
        #: Of the primary it leads to; 0 before the first.
        self.epoch = 0
        #: A command was sent that should not run twice, and is not answered.
        self._harmful = False
        #: It has reported trouble, after which only the resolver's next answer counts.
        self.doubts = False
        #: Somebody listens for messages, and has to be told when it is over.
        self.listens = False
        #: One command was sent, so one reply settles it.
        self._single = True
        #: Nothing of a transaction runs before its last reply.
        self._transaction = False
        self._answered = 0
        self.server_name: str | None = None
        #: The user has asked for it.
        self._repeats = False
        self._files: tuple[str | None, str | None, str | None] | None = None
        _connections.add(connection)

    def tls(self) -> ssl.SSLContext | None:
        """How to speak TLS, if at all."""
        if self._files is None:
            return None
        return _tls.context(*self._files)

    def connects(self, found: Primary) -> None:
        """It leads to this primary from now on."""
        self.epoch = found.epoch
        self.listens = self.doubts = False

    def options(self) -> dict[str, Any]:
        """What our settings are in redis-py's words."""
        settings = json.loads(self.resolver._settings())
        self._repeats = settings.get("retry_writes") == "always"
        if settings.get("tls"):
            self._files = (
                settings.get("tls_ca"),
                settings.get("tls_cert"),
                settings.get("tls_key"),
            )
            self.server_name = settings.get("tls_server_name")
        user, password = self.resolver._login()
        words = {
            "db": settings.get("db"),
            "client_name": settings.get("client_name"),
            "username": user,
            "password": password,
        }
        return {name: value for name, value in words.items() if value is not None}

    def sends(self, words: tuple[Any, ...]) -> bool:
        """A command is sent. ``True``: it would wait at an earlier primary, so connect anew."""
        self._harmful, waits, subscribes = _steadis._nature(*words)
        self.listens = self.listens or subscribes
        self._single, self._transaction, self._answered = True, False, 0
        return waits and self.is_stale()

    def is_stale(self) -> bool:
        """Whether the primary has changed since the connection was made."""
        current = self.resolver.current()
        return self.epoch != 0 and current is not None and current.epoch != self.epoch

    def sends_packed(self, chunks: Any) -> None:
        """Commands are sent that were encoded already."""
        first = chunks[0] if isinstance(chunks, list) and chunks else b""
        self._harmful, self._single, self._answered = True, False, 0
        self._transaction = bytes(first).startswith(b"*1\r\n$5\r\nMULTI\r\n")

    def answered(self) -> None:
        """A reply has come."""
        self._answered += 1
        if self._single:
            self._harmful = False

    def refused(self, error: Exception) -> bool:
        """``True``: nothing has run and the node is no primary, so ask the next one."""
        code = next((code for kind, code in _CODES if isinstance(error, kind)), "")
        leads_astray = self.resolver.report(self.epoch, f"{code}{error}")
        self.doubts = self.doubts or leads_astray
        return leads_astray and (self._transaction or self._answered == 0)

    def lost(self, error: Exception) -> _errors.Error | None:
        """The error to raise in place of this one, after which redis-py would send again."""
        self.resolver._report_lost(self.epoch, isinstance(error, redis.TimeoutError))
        self.doubts = True
        if not self._harmful or self._repeats:
            return None
        self._harmful = False
        return _errors.make(
            "MaybeExecuted", f"the command was sent and its answer never came: {error}"
        )
