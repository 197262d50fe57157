"""What clients have in common, whoever waits for their replies."""

from __future__ import annotations

from steadis import _errors
from steadis._script import Script

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType
    from typing import Any, Generic, Self, TypeVar

    from steadis import _steadis, _values
    from steadis._events import Dispatcher, Listener
    from steadis._lock import LockState
    from steadis._subscription import Channels

    #: The classes of one kind of client.
    _Pipeline = TypeVar("_Pipeline")
    _Subscription = TypeVar("_Subscription", bound=Channels)
    _Lock = TypeVar("_Lock", bound=LockState)

    class _Classes(Generic[_Pipeline, _Subscription, _Lock]): ...

    _Native = _steadis._Configured
else:
    _Pipeline = _Subscription = _Lock = None
    _Native = object

    class _Classes:
        """``Shared[…]`` is for people who check types, and spares the others ``typing``."""

        __slots__ = ()

        def __class_getitem__(cls, _: object) -> type:
            return cls


class About:
    """What is known of the deployment."""

    __slots__ = ()

    if TYPE_CHECKING:

        def _topology(self) -> dict[str, Any]: ...

        def _health(self) -> dict[str, Any]: ...

    def topology(self) -> _values.Topology:
        """What is known of the deployment now."""
        from steadis import _values

        return _values.topology(self._topology())

    def health(self) -> _values.Health:
        """How the deployment fares, without asking anybody."""
        from steadis import _values

        return _values.health(self._health())


class Shared(About, _Classes[_Pipeline, _Subscription, _Lock], _Native):
    """What a client offers besides commands, if it need not wait for it."""

    __slots__ = ()

    _pipelines: type[_Pipeline]
    _locks: type[_Lock]

    if TYPE_CHECKING:

        def _subscription_to_nothing(self) -> _Subscription: ...

    def pipeline(self, transaction: bool = False) -> _Pipeline:
        """Commands that are sent in one go by ``execute``; each has its own reply."""
        return self._batch(self._pipelines, transaction)

    def multi(self) -> _Pipeline:
        """Commands that run together or not at all."""
        return self._batch(self._pipelines, True)

    def script(self, source: str | bytes) -> Script:
        """A Lua script, to be called with ``keys`` and ``args``. It survives failover."""
        return Script(self, self._script(source))

    register_script = script

    def subscribe(
        self, *channels: Any, patterns: Iterable[Any] = (), shards: Iterable[Any] = ()
    ) -> _Subscription:
        """A subscription, to be iterated. It survives failover, and says where it has gaps."""
        subscription = self._subscription_to_nothing()
        subscription.subscribe(*channels)
        subscription.psubscribe(*patterns)
        subscription.ssubscribe(*shards)
        return subscription

    def pubsub(self) -> _Subscription:
        """A subscription without channels yet."""
        return self._subscription_to_nothing()

    def lock(
        self,
        name: str | bytes,
        timeout: float | None = None,
        *,
        blocking: bool = True,
        blocking_timeout: float | None = None,
        sleep: float = 0.1,
    ) -> _Lock:
        """A lock that other clients respect too; it lasts ``timeout`` seconds at most."""
        return self._locks(self, name, timeout, blocking, blocking_timeout, sleep)

    def stats(self, format: str | None = None) -> Any:
        """Figures since this client was made; ``format="prometheus"`` gives its text."""
        match format:
            case None:
                return dict(self._stats())
            case "prometheus":
                return self._prometheus()
        raise _errors.usage(
            f"{format!r} is no format of stats; leave it out, or write 'prometheus'"
        )

    def explain(self) -> _values.Explanation:
        """Which variable or argument supplied each setting, passwords cut."""
        from steadis import _values

        return _values.Explanation(*self._explain())

    def __reduce__(self) -> Any:
        raise _errors.usage(
            "a client has connections, which cannot be pickled: make one in the other process"
        )


class Listening:
    """Whoever has listeners called in a thread of their own, and ends with ``with``."""

    if TYPE_CHECKING:
        _dispatcher: Dispatcher

        def _close(self) -> None: ...
    else:
        __slots__ = ()

    def on(self, name: str, listener: Listener) -> None:
        """Calls ``listener`` with each event of this name, in a thread of its own."""
        self._events().add(name, listener)

    def off(self, name: str, listener: Listener) -> None:
        """Stops what :meth:`on` began."""
        self._events().remove(name, listener)

    def _events(self) -> Dispatcher:
        if not hasattr(self, "_dispatcher"):
            from steadis._events import Dispatcher

            source: Any = self
            self._dispatcher = Dispatcher(source)
        return self._dispatcher

    def close(self) -> None:
        """Ends all connections. Whoever waits gets an error, as does every later call."""
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
