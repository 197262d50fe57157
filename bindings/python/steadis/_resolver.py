"""Only who is primary, for programs that keep their own client library."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from steadis import _steadis
from steadis._shared import About, Listening

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from steadis._events import Event


class Primary(NamedTuple):
    """A verified primary, by the address that leads to it from here."""

    #: Or the path of a unix socket.
    host: str
    port: int | None
    #: Grows with every new primary: connections of an older one are to be closed.
    epoch: int


class Resolver(Listening, About, _steadis.Resolver):
    """Finds the primary and says when it changes. Any number of threads may use it."""

    __slots__ = ("_dispatcher",)

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

    def report(self, epoch: int, error: BaseException | str) -> bool:
        """A connection of this epoch met trouble: an exception, or what the server said.

        ``True``: it leads to no primary, so close it.
        """
        if isinstance(error, str):
            return self._report_error(epoch, error)
        self._report_lost(epoch, isinstance(error, TimeoutError))
        return True

    def on_change(self, listener: Callable[[Primary | None], Any]) -> None:
        """Calls ``listener`` with each new primary, and with ``None`` when it is lost."""

        def tell(event: Event) -> None:
            listener(None if event.found is None else Primary(*event.found))

        self._events().add("primary", tell)
