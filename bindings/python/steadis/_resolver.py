"""Only who is primary, for programs that keep their own client library."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from steadis import _steadis, _values

if TYPE_CHECKING:
    from steadis._events import Dispatcher, Event, Listener


class Primary(NamedTuple):
    """A verified primary, by the address that leads to it from here."""

    #: Or the path of a unix socket.
    host: str
    port: int | None
    #: Grows with every new primary: connections of an older one are to be closed.
    epoch: int


class Resolver(_steadis.Resolver):
    """Finds the primary and says when it changes. Any number of threads may use it."""

    __slots__ = ("_dispatcher",)

    _dispatcher: Dispatcher

    def primary(self, timeout: float | None = None) -> Primary:
        """The primary; waits while there is none, and while a failover is announced."""
        return Primary(*self._primary(timeout))

    def current(self) -> Primary | None:
        """What :meth:`primary` would return at once; ``None`` where it would wait."""
        found = self._current()
        return None if found is None else Primary(*found)

    def replicas(self) -> list[tuple[str, int | None]]:
        """How to reach the known replicas from here."""
        return self._replicas()

    def topology(self) -> _values.Topology:
        """What is known of the deployment now."""
        return _values.topology(self._topology())

    def health(self) -> _values.Health:
        """How the deployment fares, without asking anybody."""
        return _values.health(self._health())

    def report(self, epoch: int, error: BaseException | str) -> bool:
        """A connection of this epoch met trouble: an exception, or what the server said.

        ``True``: it leads to no primary, so close it.
        """
        if isinstance(error, str):
            return self._report_error(epoch, error)
        self._report_lost(epoch, isinstance(error, TimeoutError))
        return True

    def on(self, name: str, listener: Listener) -> None:
        """Calls ``listener`` with each event of this name, in a thread of its own."""
        self._events().add(name, listener)

    def on_change(self, listener: Callable[[Primary | None], Any]) -> None:
        """Calls ``listener`` with each new primary, and with ``None`` when it is lost."""

        def tell(event: Event) -> None:
            listener(None if event.found is None else Primary(*event.found))

        self._events().add("primary", tell)

    def _events(self) -> Dispatcher:
        if not hasattr(self, "_dispatcher"):
            from steadis._events import Dispatcher

            self._dispatcher = Dispatcher(self)
        return self._dispatcher

    def close(self) -> None:
        """Ends the watch. Whoever waits gets an error, as does every later question."""
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
