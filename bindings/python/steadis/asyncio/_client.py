"""The client for event loops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from types import TracebackType
from typing import Any, AnyStr, Literal, Self, overload

from steadis import _errors, _steadis, _values
from steadis._client import Queue, Script, figures
from steadis._commands import AsyncCommands, QueuedCommands
from steadis._events import Listener
from steadis._log import warn
from steadis.asyncio._lock import Lock


class Client(AsyncCommands[AnyStr], _steadis.AsyncClient):
    """A client for one event loop, of what arguments, URL and environment describe.

    It belongs to the loop of its first call. Cancelling a call ends that call alone.
    """

    __slots__ = ()

    execute_command = _steadis.AsyncClient.call

    async def ready(self, timeout: float | None = None) -> Self:
        """Waits until the primary is verified."""
        await (self if timeout is None else self.options(timeout=timeout)).call("PING")
        return self

    def pipeline(self, transaction: bool = False) -> Pipeline:
        """Commands that are sent in one go by ``execute``; each has its own reply."""
        return self._batch(Pipeline, transaction)

    def multi(self) -> Pipeline:
        """Commands that run together or not at all."""
        return self._batch(Pipeline, True)

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

    def script(self, source: str | bytes) -> Script:
        """A Lua script, to be awaited with ``keys`` and ``args``. It survives failover."""
        return Script(self, self._script(source))

    register_script = script

    def subscribe(
        self, *channels: Any, patterns: Iterable[Any] = (), shards: Iterable[Any] = ()
    ) -> Subscription:
        """A subscription for ``async for``. It survives failover, and says where it has gaps."""
        subscription = Subscription(self)
        subscription.subscribe(*channels)
        subscription.psubscribe(*patterns)
        subscription.ssubscribe(*shards)
        return subscription

    def pubsub(self) -> Subscription:
        """A subscription without channels yet."""
        return self.subscribe()

    def lock(
        self,
        name: str | bytes,
        timeout: float | None = None,
        *,
        blocking: bool = True,
        blocking_timeout: float | None = None,
        sleep: float = 0.1,
    ) -> Lock:
        """A lock that other clients respect too; it lasts ``timeout`` seconds at most."""
        return Lock(self, name, timeout, blocking, blocking_timeout, sleep)

    def scan_iter(
        self, match: Any = None, count: int | None = None, type: Any = None
    ) -> AsyncIterator[AnyStr]:
        """All keys, fetched piece by piece."""
        return _scan(lambda cursor: self.scan(cursor, match=match, count=count, type=type))

    def sscan_iter(
        self, key: Any, match: Any = None, count: int | None = None
    ) -> AsyncIterator[AnyStr]:
        """All members of a set, fetched piece by piece."""
        return _scan(lambda cursor: self.sscan(key, cursor, match=match, count=count))

    async def hscan_iter(
        self, key: Any, match: Any = None, count: int | None = None
    ) -> AsyncIterator[Any]:
        """All pairs of field and value of a hash, fetched piece by piece."""
        async for page in _pages(lambda at: self.hscan(key, at, match=match, count=count)):
            for pair in page.items():
                yield pair

    def zscan_iter(
        self, key: Any, match: Any = None, count: int | None = None
    ) -> AsyncIterator[Any]:
        """All pairs of member and score of a sorted set, fetched piece by piece."""
        return _scan(lambda cursor: self.zscan(key, cursor, match=match, count=count))

    def topology(self) -> _values.Topology:
        """What is known of the deployment now."""
        return _values.topology(self._topology())

    def health(self) -> _values.Health:
        """How the deployment fares, without asking anybody."""
        return _values.health(self._health())

    def stats(self, format: str | None = None) -> Any:
        """Figures since this client was made; ``format="prometheus"`` gives its text."""
        return figures(self, format)

    def explain(self) -> _values.Explanation:
        """Which variable or argument supplied each setting, passwords cut."""
        return _values.Explanation(*self._explain())

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

    def __reduce__(self) -> Any:
        raise _errors.raised_as(_errors.UsageError)(
            "a client has connections, which cannot be pickled: make one in the other process"
        )


class Pipeline(QueuedCommands, _steadis.AsyncPipeline):
    """Commands that are sent in one go by :meth:`execute`, which is awaited; they are not."""

    __slots__ = ()

    execute_command = _steadis.AsyncPipeline.call

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.reset()


class View(AsyncCommands[AnyStr], _steadis.AsyncView):
    """Reads the watched keys, on the connection that watches them."""

    __slots__ = ()

    execute_command = _steadis.AsyncView.call


class Subscription:
    """Messages, and gaps where some may have been missed. For one task at a time."""

    def __init__(self, client: Client[Any]) -> None:
        self._news = asyncio.Event()
        self._core = client._subscription(self._news.set)
        self._closed = False

    def _all(self, by: str, names: Iterable[Any], wanted: bool) -> None:
        for name in names:
            self._core.change(by, name.encode() if isinstance(name, str) else name, wanted)

    def subscribe(self, *channels: Any) -> None:
        """Wants these channels too."""
        self._all("channel", channels, True)

    def psubscribe(self, *patterns: Any) -> None:
        """Wants what matches these patterns too."""
        self._all("pattern", patterns, True)

    def ssubscribe(self, *channels: Any) -> None:
        """Wants these channels of shards too (Redis 7)."""
        self._all("shard", channels, True)

    def unsubscribe(self, *channels: Any) -> None:
        """Wants these channels no more."""
        self._all("channel", channels, False)

    def punsubscribe(self, *patterns: Any) -> None:
        """Wants these patterns no more."""
        self._all("pattern", patterns, False)

    def sunsubscribe(self, *channels: Any) -> None:
        """Wants these channels of shards no more."""
        self._all("shard", channels, False)

    async def ready(self) -> Self:
        """Waits until every channel is confirmed."""
        while not self._core.ready():
            await self._more()
        return self

    async def _more(self) -> None:
        await self._news.wait()
        self._news.clear()

    async def get_message(
        self, timeout: float | None = None
    ) -> _values.Message | _values.Gap | None:
        """The next message or gap; ``None`` if nothing comes within ``timeout`` seconds."""
        try:
            async with asyncio.timeout(timeout):
                return await anext(self)
        except TimeoutError:
            return None

    def listen(self) -> Self:
        """All that comes, for ever."""
        return self

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> _values.Message | _values.Gap:
        while True:
            if self._closed:
                raise StopAsyncIteration
            incoming: _values.Message | _values.Gap | None = self._core.next()
            if incoming is not None:
                return incoming
            await self._more()

    async def close(self) -> None:
        """Ends the subscription; whoever waits for its messages stops."""
        if not self._closed:
            self._closed = True
            self._core.close()
            self._news.set()

    aclose = close

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()


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


async def _pages(fetch: Callable[[Any], Awaitable[Any]]) -> AsyncIterator[Any]:
    cursor: Any = 0
    while True:
        cursor, page = await fetch(cursor)
        yield page
        if int(cursor) == 0:
            return


async def _scan(fetch: Callable[[Any], Awaitable[Any]]) -> AsyncIterator[Any]:
    async for page in _pages(fetch):
        for item in page:
            yield item
