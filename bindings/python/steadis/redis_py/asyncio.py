"""redis.asyncio, led to the primary by Steadis.

r = steadis.redis_py.asyncio.Redis()
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import redis
import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from steadis._resolver import Primary
from steadis.redis_py._connection import ATTEMPTS
from steadis.redis_py._way import Way, pool_options


class Connection(redis.asyncio.Connection):
    """A connection to whoever is primary. ``steadis`` is a URL, or empty for the environment."""

    def __init__(self, *args: Any, steadis: str = "", **options: Any) -> None:
        self.way = Way(steadis, self)
        self._loop: asyncio.AbstractEventLoop | None = None
        options.setdefault("retry", Retry(NoBackoff(), ATTEMPTS))
        super().__init__(*args, **{**self.way.options(), **options})

    async def _primary(self) -> Primary:
        found = None if self.way.doubts else self.way.resolver.current()
        if found is None:
            found = await asyncio.to_thread(self.way.resolver.primary)
        return found

    async def connect(self) -> None:
        """By the pool before each use: the connection leads to the primary of this moment."""
        await self._primary()
        if self.is_connected and self.way.is_stale() and not self.way.listens:
            await self.disconnect()
        await super().connect()
        if self.way.is_stale() and not self.way.listens:
            # It has changed while we connected.
            await self.disconnect()
            await super().connect()

    async def _connect(self) -> None:
        found = await self._primary()
        self.way.connects(found)
        self.host, self.port = found.host, found.port or 0
        self._loop = asyncio.get_running_loop()
        options: dict[str, Any] = {"ssl": self.way.tls()}
        if options["ssl"] is not None:
            options["server_hostname"] = self.way.server_name or found.host
        try:
            async with asyncio.timeout(self.socket_connect_timeout):
                if found.port is None:
                    streams = await asyncio.open_unix_connection(found.host, **options)
                else:
                    streams = await asyncio.open_connection(found.host, found.port, **options)
        except OSError as error:
            self.way.lost(error)
            raise
        self._reader, self._writer = streams
        if found.port is not None:
            sock = self._writer.transport.get_extra_info("socket")
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    async def send_command(self, *args: Any, **options: Any) -> None:
        if self.way.sends(args):
            await self.disconnect()
        packed = self.pack_command(*args)
        await super().send_packed_command(packed, check_health=options.get("check_health", True))

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        self.way.sends_packed(command)
        await super().send_packed_command(command, check_health)

    async def read_response(self, *args: Any, **options: Any) -> Any:
        try:
            response = await super().read_response(*args, **options)
        except redis.exceptions.BusyLoadingError:
            raise
        except (redis.ConnectionError, redis.TimeoutError) as error:
            instead = self.way.lost(error)
            if instead is not None:
                raise instead from error
            raise
        except redis.ResponseError as error:
            if self.way.refused(error):
                await self.disconnect()
                raise redis.ConnectionError(str(error)) from error
            self.way.answered()
            raise
        self.way.answered()
        return response

    def cut(self) -> None:
        """The primary has changed: wakes whoever waits on this connection, in any thread."""
        loop, writer = self._loop, self._writer
        if loop is not None and writer is not None and not loop.is_closed():
            loop.call_soon_threadsafe(writer.transport.abort)


class ConnectionPool(redis.asyncio.ConnectionPool):
    """A pool of connections to whoever is primary."""

    def __init__(self, connection_class: type[Any] = Connection, **options: Any) -> None:
        super().__init__(connection_class=connection_class, **pool_options(options))

    @classmethod
    def from_url(cls, url: str = "", **options: Any) -> ConnectionPool:
        """A pool for a URL of any kind that Steadis knows; the empty one means the environment."""
        return cls(steadis=url, **options)


def Redis(url: str = "", **options: Any) -> redis.asyncio.Redis:
    """redis.asyncio's client, for a URL of any kind, or for the environment."""
    return redis.asyncio.Redis.from_pool(ConnectionPool.from_url(url, **options))
