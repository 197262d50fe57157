"""The client for event loops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self, overload

from steadis import _errors, _steadis
from steadis._commands import AnyStr, AsyncCommands
from steadis._log import warn
from steadis._pipeline import Queue
from steadis._shared import Shared
from steadis.asyncio._lock import Lock
from steadis.asyncio._pipeline import Pipeline
from steadis.asyncio._subscription import Subscription

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from types import TracebackType

    from steadis._events import Listener


class Client(AsyncCommands[AnyStr], Shared[Pipeline, Subscription, Lock], _steadis.AsyncClient):
    """A client for one event loop, of what arguments, URL and environment describe.

    It belongs to the loop of its first call. Cancelling a call ends that call alone.
    """

    __slots__ = ()

    _pipelines = Pipeline
    _locks = Lock

    execute_command = _steadis.AsyncClient.call

    async def ready(self, timeout: float | None = None) -> Self:
        """Waits until the primary is verified."""
        await (self if timeout is None else self.options(timeout=timeout)).call("PING")
        return self

    async def watch(
        self, keys: Any, change: Callable[[View[AnyStr], Queue], Awaitable[Any]]
    ) -> list[Any]:
        """Awaits ``change(view, tx)`` with the keys watched, then runs what it queued in ``tx``.

        All again as long as somebody else changes the keys in between; a failover counts as a
        change. Returns the replies of what was queued.
        """
        view: View[AnyStr] = View(self._watch(keys))
        try:
            while True:
                await view._begin()
                tx = Queue(view._queue())
                try:
                    await change(view, tx)
                except _errors.Error:
                    if view._is_lost():
                        continue
                    raise
                replies: list[Any] | None = await view._commit(tx)
                if replies is not None:
                    return replies
        finally:
            view._end()

    def _subscription_to_nothing(self) -> Subscription:
        return Subscription(self)

    async def _walk(self, command: str, *args: Any, **options: Any) -> AsyncIterator[Any]:
        scan = self._scan(command, args, options)
        while not scan.is_over:
            page = await self._scan_page(scan)
            for item in page:
                yield item

    def scan_iter(
        self, match: Any = None, count: int | None = None, type: Any = None
    ) -> AsyncIterator[AnyStr]:
        """All keys, fetched piece by piece."""
        return self._walk("SCAN", match=match, count=count, type=type)

    def sscan_iter(
        self, key: Any, match: Any = None, count: int | None = None
    ) -> AsyncIterator[AnyStr]:
        """All members of a set, fetched piece by piece."""
        return self._walk("SSCAN", key, match=match, count=count)

    def hscan_iter(
        self, key: Any, match: Any = None, count: int | None = None
    ) -> AsyncIterator[Any]:
        """All pairs of field and value of a hash, fetched piece by piece."""
        return self._walk("HSCAN", key, match=match, count=count)

    def zscan_iter(
        self, key: Any, match: Any = None, count: int | None = None
    ) -> AsyncIterator[Any]:
        """All pairs of member and score of a sorted set, fetched piece by piece."""
        return self._walk("ZSCAN", key, match=match, count=count)

    def on(self, name: str, listener: Listener) -> None:
        """Calls ``listener`` with each event of this name, in the loop."""
        self._listeners.add(name, listener)

    def off(self, name: str, listener: Listener) -> None:
        """Stops what :meth:`on` began."""
        self._listeners.remove(name, listener)

    async def close(self) -> None:
        """Ends all connections. Calls that wait end with an error, as do later ones."""
        self._close()

    aclose = close

    async def __aenter__(self) -> Self:
        return await self.ready() if self._eager else self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()


class View(AsyncCommands[AnyStr], _steadis.AsyncView):
    """Reads the watched keys, on the connection that watches them."""

    __slots__ = ()

    execute_command = _steadis.AsyncView.call


@overload
def connect(
    url: str | None = None, *, decode_responses: Literal[True], **options: Any
) -> Client[str]: ...
@overload
def connect(
    url: str | None = None, *, decode_responses: Literal[False] = ..., **options: Any
) -> Client[bytes]: ...
def connect(url: str | None = None, **options: Any) -> Client[Any]:
    """A client of what arguments, URL and environment describe, in this order of precedence."""
    client: Client[Any] = Client(url, **options)
    warn(client._warnings())
    return client
