"""redis-py's classes for threads."""

from __future__ import annotations

import contextlib
import socket
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from steadis.redis_py._way import Way, pool_options

#: To wait for a primary is the resolver's part, so redis-py need not pause.
ATTEMPTS = 3


class Connection(redis.Connection):
    """A connection to whoever is primary. ``steadis`` is a URL, or empty for the environment."""

    def __init__(self, *args: Any, steadis: str = "", **options: Any) -> None:
        self.way = Way(steadis, self)
        options.setdefault("retry", Retry(NoBackoff(), ATTEMPTS))
        super().__init__(*args, **{**self.way.options(), **options})

    def connect(self) -> None:
        """By the pool before each use: the connection leads to the primary of this moment."""
        self.way.resolver.primary()
        if self._sock is not None and self.way.is_stale() and not self.way.listens:
            self.disconnect()
        super().connect()
        if self.way.is_stale() and not self.way.listens:
            # It has changed while we connected.
            self.disconnect()
            super().connect()

    def _connect(self) -> socket.socket:
        found = self.way.resolver.primary()
        self.way.connects(found)
        self.host, self.port = found.host, found.port or 0
        try:
            if found.port is None:
                sock = socket.socket(socket.AF_UNIX)
                sock.settimeout(self.socket_timeout)
                sock.connect(found.host)
            else:
                sock = super()._connect()
            context = self.way.tls()
            if context is not None:
                name = self.way.server_name or found.host
                sock = context.wrap_socket(sock, server_hostname=name)
            return sock
        except OSError as error:
            self.way.lost(error)
            raise

    def send_command(self, *args: Any, **options: Any) -> None:
        if self.way.sends(args):
            self.disconnect()
        super().send_packed_command(
            self._command_packer.pack(*args), check_health=options.get("check_health", True)
        )

    def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        self.way.sends_packed(command)
        super().send_packed_command(command, check_health)

    def read_response(self, *args: Any, **options: Any) -> Any:
        try:
            response = super().read_response(*args, **options)
        except redis.exceptions.BusyLoadingError:
            raise
        except (redis.ConnectionError, redis.TimeoutError) as error:
            instead = self.way.lost(error)
            if instead is not None:
                raise instead from error
            raise
        except redis.ResponseError as error:
            if self.way.refused(error):
                self.disconnect()
                raise redis.ConnectionError(str(error)) from error
            self.way.answered()
            raise
        self.way.answered()
        return response

    def cut(self) -> None:
        """The primary has changed: wakes whoever waits on this connection, in any thread."""
        sock = self._sock
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


class ConnectionPool(redis.ConnectionPool):
    """A pool of connections to whoever is primary."""

    def __init__(self, connection_class: type[Any] = Connection, **options: Any) -> None:
        super().__init__(connection_class, **pool_options(options))

    @classmethod
    def from_url(cls, url: str = "", **options: Any) -> ConnectionPool:
        """A pool for a URL of any kind that Steadis knows; the empty one means the environment."""
        return cls(steadis=url, **options)


class BlockingConnectionPool(redis.BlockingConnectionPool):
    """The same with a limit, at which it waits."""

    def __init__(self, connection_class: type[Any] = Connection, **options: Any) -> None:
        super().__init__(connection_class=connection_class, **pool_options(options))

    @classmethod
    def from_url(cls, url: str = "", **options: Any) -> BlockingConnectionPool:
        """A pool for a URL of any kind that Steadis knows; the empty one means the environment."""
        return cls(steadis=url, **options)


def Redis(url: str = "", **options: Any) -> redis.Redis:
    """redis-py's client, for a URL of any kind that Steadis knows, or for the environment."""
    return redis.Redis.from_pool(ConnectionPool.from_url(url, **options))
