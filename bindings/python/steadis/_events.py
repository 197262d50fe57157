"""What clients tell of their own accord: to listeners, and to the log."""

from __future__ import annotations

import logging
import os
import threading
import weakref
from collections.abc import Callable
from keyword import iskeyword
from types import SimpleNamespace
from typing import Any

from steadis import _errors, _steadis
from steadis._log import log

NAMES = ("failover", "hold", "resume", "sentinel", "replicas", "warning")


class Event(SimpleNamespace):
    """Something that happened around the commands; ``name`` says what, the rest depends on it."""

    def __init__(self, name: str, **details: Any) -> None:
        super().__init__(name=name)
        for key, value in details.items():
            # What Python has taken for itself goes by the name with a line behind it.
            setattr(self, f"{key}_" if iskeyword(key) else key, value)

    def __str__(self) -> str:
        details = ", ".join(f"{key.rstrip('_')} {value}" for key, value in self._details())
        return f"{self.name}: {details}"

    def _details(self) -> list[tuple[str, Any]]:
        return [(key, value) for key, value in vars(self).items() if key != "name"]


Listener = Callable[[Event], Any]


class Listeners:
    """Calls each listener with the events it asked for. One that fails does not hurt the others."""

    def __init__(self) -> None:
        self._all: list[tuple[str, Listener]] = []

    def add(self, name: str, listener: Listener) -> None:
        """Calls ``listener`` with each event of this name."""
        if name not in (*NAMES, "primary"):
            raise _errors.usage(f"there is no event {name!r}; there are {', '.join(NAMES)}")
        self._all = [*self._all, (name, listener)]

    def remove(self, name: str, listener: Listener) -> None:
        """Stops what :meth:`add` began."""
        self._all = [known for known in self._all if known != (name, listener)]

    def __call__(self, event: Event) -> None:
        if event.name in NAMES:
            log().log(logging.WARNING if event.name == "warning" else logging.INFO, "%s", event)
        for name, listener in self._all:
            if name == event.name:
                try:
                    listener(event)
                except Exception:
                    log().exception("the listener %r has failed", listener)


class Dispatcher(Listeners):
    """Listeners of a client for threads, called in a thread of their own."""

    def __init__(self, client: _steadis.Client | _steadis.Resolver) -> None:
        super().__init__()
        self._client = weakref.ref(client)
        self._start()
        _dispatchers.add(self)

    def _start(self) -> None:
        client = self._client()
        if client is None:
            return
        self._events = _steadis.Events()
        self._listening = client._listen(self._events)
        thread = threading.Thread(
            target=_dispatch, args=(self._events, weakref.ref(self)), name="steadis-events"
        )
        thread.daemon = True
        thread.start()
        weakref.finalize(self, self._events.stop).atexit = False

    def start_in_child(self) -> None:
        """After a fork: the thread has stayed with the parent."""
        client = self._client()
        if client is not None and not client.closed:
            client._unlisten(self._listening)
            self._start()

    def stop(self) -> None:
        """Ends the thread."""
        client = self._client()
        if client is not None:
            client._unlisten(self._listening)
        self._events.stop()


def _dispatch(events: _steadis.Events, dispatcher: weakref.ref[Dispatcher]) -> None:
    while (event := events.next()) is not None:
        listeners = dispatcher()
        if listeners is None:
            return
        listeners(event)
        del listeners


_dispatchers: weakref.WeakSet[Dispatcher] = weakref.WeakSet()


def _in_child() -> None:
    for dispatcher in list(_dispatchers):
        dispatcher.start_in_child()


os.register_at_fork(after_in_child=_in_child)
