"""Subscriptions."""

from __future__ import annotations

from steadis import _steadis

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType
    from typing import Any, Self

    from steadis import _values


class Channels:
    """What a subscription listens to."""

    __slots__ = ()

    if TYPE_CHECKING:

        def _change(self, by: str, name: bytes, wanted: bool) -> None: ...

    def _all(self, by: str, names: Iterable[Any], wanted: bool) -> None:
        for name in names:
            self._change(by, name.encode() if isinstance(name, str) else name, wanted)

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


class Subscription(Channels, _steadis.Subscription):
    """Messages, and gaps where some may have been missed. For one thread at a time."""

    __slots__ = ()

    def ready(self) -> Self:
        """Waits until every channel is confirmed."""
        self._ready()
        return self

    def get_message(self, timeout: float | None = 0.0) -> _values.Message | _values.Gap | None:
        """The next message or gap; ``None`` if nothing comes within ``timeout`` seconds."""
        return self._next(timeout)

    def listen(self) -> Iterator[_values.Message | _values.Gap]:
        """All that comes, for ever."""
        return iter(self)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> _values.Message | _values.Gap:
        return self._next(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
