"""The client for threads."""

from __future__ import annotations

import os

from steadis import _errors, _steadis
from steadis._commands import AnyStr, Commands
from steadis._lock import Lock
from steadis._log import is_wanted, warn
from steadis._pipeline import Pipeline, Queue
from steadis._shared import Listening, Shared
from steadis._subscription import Subscription

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, Literal, Self, overload

os.register_at_fork(after_in_child=_steadis._in_child)


class Client(Commands[AnyStr], Listening, Shared[Pipeline, Subscription, Lock], _steadis.Client):
    """A client for any number of threads, of what arguments, URL and environment describe.

    It touches the network at its first command, or by :meth:`ready`.
    """

    __slots__ = ("_dispatcher",)

    _pipelines = Pipeline
    _locks = Lock

    execute_command = _steadis.Client.call

    def ready(self, timeout: float | None = None) -> Self:
        """Waits until the primary is verified."""
        self._ready(timeout=timeout)
        return self

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

    def _subscription_to_nothing(self) -> Subscription:
        return Subscription(self._subscription())

    def _walk(self, command: str, *args: Any, **options: Any) -> Iterator[Any]:
        scan = self._scan(command, args, options)
        while not scan.is_over:
            yield from self._scan_page(scan)

    def scan_iter(
        self, match: Any = None, count: int | None = None, type: Any = None
    ) -> Iterator[AnyStr]:
        """All keys, fetched piece by piece."""
        return self._walk("SCAN", match=match, count=count, type=type)

    def sscan_iter(self, key: Any, match: Any = None, count: int | None = None) -> Iterator[AnyStr]:
        """All members of a set, fetched piece by piece."""
        return self._walk("SSCAN", key, match=match, count=count)

    def hscan_iter(self, key: Any, match: Any = None, count: int | None = None) -> Iterator[Any]:
        """All pairs of field and value of a hash, fetched piece by piece."""
        return self._walk("HSCAN", key, match=match, count=count)

    def zscan_iter(self, key: Any, match: Any = None, count: int | None = None) -> Iterator[Any]:
        """All pairs of member and score of a sorted set, fetched piece by piece."""
        return self._walk("ZSCAN", key, match=match, count=count)


class View(Commands[AnyStr], _steadis.View):
    """Reads the watched keys, on the connection that watches them."""

    __slots__ = ()

    execute_command = _steadis.View.call


if TYPE_CHECKING:

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
