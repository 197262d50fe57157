"""The client for threads."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, AnyStr, Literal, Self, overload

from steadis import _errors, _steadis, _values
from steadis._commands import Commands, QueuedCommands
from steadis._lock import Lock
from steadis._log import is_wanted, warn

if TYPE_CHECKING:
    from steadis._events import Dispatcher, Listener

os.register_at_fork(after_in_child=_steadis._in_child)


class Client(Commands[AnyStr], _steadis.Client):
    """A client for any number of threads, of what arguments, URL and environment describe.

    It touches the network at its first command, or by :meth:`ready`.
    """

    __slots__ = ("_dispatcher",)

    _dispatcher: Dispatcher

    execute_command = _steadis.Client.call

    def ready(self, timeout: float | None = None) -> Self:
        """Waits until the primary is verified."""
        self._ready(timeout)
        return self

    def pipeline(self, transaction: bool = False) -> Pipeline:
        """Commands that are sent in one go by ``execute``; each has its own reply."""
        return self._batch(Pipeline, transaction)

    def multi(self) -> Pipeline:
        """Commands that run together or not at all."""
        return self._batch(Pipeline, True)

    def watch(self, keys: Any, change: Callable[[View[AnyStr], Queue], Any]) -> list[Any]:
        """Calls ``change(view, tx)`` with the keys watched, then runs what it queued in ``tx``.

        All again as long as somebody else changes the keys in between; a failover counts as a
        change. Returns the replies of what was queued.
        """
        view: View[AnyStr] = View(self._watch(keys))
        try:
            while True:
                view._begin()
                tx = Queue(view._queue())
                try:
                    change(view, tx)
                except _errors.Error:
                    if view._is_lost():
                        continue
                    raise
                replies = view._commit(tx)
                if replies is not None:
                    return replies
        finally:
            view._end()

    def script(self, source: str | bytes) -> Script:
        """A Lua script, to be called with ``keys`` and ``args``. It survives failover."""
        return Script(self, self._script(source))

    register_script = script

    def subscribe(
        self, *channels: Any, patterns: Iterable[Any] = (), shards: Iterable[Any] = ()
    ) -> Subscription:
        """A subscription, to be iterated. It survives failover, and says where it has gaps."""
        subscription = Subscription(self._subscription())
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
    ) -> Iterator[AnyStr]:
        """All keys, fetched piece by piece."""
        return _scan(lambda cursor: self.scan(cursor, match=match, count=count, type=type))

    def sscan_iter(self, key: Any, match: Any = None, count: int | None = None) -> Iterator[AnyStr]:
        """All members of a set, fetched piece by piece."""
        return _scan(lambda cursor: self.sscan(key, cursor, match=match, count=count))

    def hscan_iter(self, key: Any, match: Any = None, count: int | None = None) -> Iterator[Any]:
        """All pairs of field and value of a hash, fetched piece by piece."""
        pages = _scan_pages(lambda cursor: self.hscan(key, cursor, match=match, count=count))
        return (pair for page in pages for pair in page.items())

    def zscan_iter(self, key: Any, match: Any = None, count: int | None = None) -> Iterator[Any]:
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
        """Calls ``listener`` with each event of this name, in a thread of its own."""
        self._events().add(name, listener)

    def off(self, name: str, listener: Listener) -> None:
        """Stops what :meth:`on` began."""
        self._events().remove(name, listener)

    def _events(self) -> Dispatcher:
        if not hasattr(self, "_dispatcher"):
            from steadis._events import Dispatcher

            self._dispatcher = Dispatcher(self)
        return self._dispatcher

    def close(self) -> None:
        """Ends all connections. Calls that wait end with an error, as do later ones."""
        if hasattr(self, "_dispatcher"):
            self._dispatcher.stop()
        self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __reduce__(self) -> Any:
        raise _errors.raised_as(_errors.UsageError)(
            "a client has connections, which cannot be pickled: make one in the other process"
        )


class Queue(QueuedCommands, _steadis.Queue):
    """Commands in a row, not sent yet."""

    __slots__ = ()

    execute_command = _steadis.Queue.call


class Pipeline(QueuedCommands, _steadis.Pipeline):
    """Commands that are sent in one go by :meth:`execute`."""

    __slots__ = ()

    execute_command = _steadis.Pipeline.call

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.reset()


class View(Commands[AnyStr], _steadis.View):
    """Reads the watched keys, on the connection that watches them."""

    __slots__ = ()

    execute_command = _steadis.View.call


class Script:
    """A Lua script. The server knows it by its digest, and is told its source where it does not."""

    __slots__ = ("_client", "_script")

    def __init__(self, client: Any, script: _steadis.Script) -> None:
        self._client = client
        self._script = script

    @property
    def sha(self) -> str:
        """What EVALSHA calls it."""
        return self._script.digest

    def __call__(self, keys: Any = None, args: Any = None, client: Any = None) -> Any:
        """Runs it, or queues it if ``client`` is a pipeline."""
        return (client or self._client)._run_script(self._script, keys, args)

    def __repr__(self) -> str:
        return f"<steadis.Script {self.sha}>"


class Subscription(_steadis.Subscription):
    """Messages, and gaps where some may have been missed. For one thread at a time."""

    __slots__ = ()

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
    if is_wanted():
        client._events()
    return client.ready() if client._eager else client


def figures(client: Any, format: str | None) -> Any:
    """The figures of a client."""
    match format:
        case None:
            return dict(client._stats())
        case "prometheus":
            return client._prometheus()
    raise _errors.raised_as(_errors.UsageError)(
        f"{format!r} is no format of stats; leave it out, or write 'prometheus'"
    )


def _scan_pages(fetch: Callable[[Any], Any]) -> Iterator[Any]:
    cursor: Any = 0
    while True:
        cursor, page = fetch(cursor)
        yield page
        if int(cursor) == 0:
            return


def _scan(fetch: Callable[[Any], Any]) -> Iterator[Any]:
    for page in _scan_pages(fetch):
        yield from page
