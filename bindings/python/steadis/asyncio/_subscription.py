"""Subscriptions in an event loop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

from steadis._subscription import Channels

if TYPE_CHECKING:
    from types import TracebackType

    from steadis import _steadis, _values
    from steadis._values import Gap, Message


class Subscription(Channels):
    """Messages, and gaps where some may have been missed. For one task at a time."""

    def __init__(self, client: _steadis.AsyncClient) -> None:
        self._news = asyncio.Event()
        self._core = client._subscription(self._news.set)
        self._closed = False

    def _change(self, by: str, name: bytes, wanted: bool) -> None:
        self._core.change(by, name, wanted)

    async def ready(self) -> Self:
        """Waits until every channel is confirmed."""
        while not self._core.ready():
            await self._more()
        return self

    async def _more(self) -> None:
        await self._news.wait()
        self._news.clear()

    async def get_message(self, timeout: float | None = None) -> Message | Gap | None:
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

    async def __anext__(self) -> Message | Gap:
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
