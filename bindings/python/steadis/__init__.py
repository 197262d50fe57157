"""One Redis connection that stays up through failover.

    import steadis
    r = steadis.connect()          # REDIS_SENTINEL_LIST, REDIS_SENTINEL_MASTER, … or a URL
    r.set("cart:7", "3 items", ex=900)

:func:`connect` gives a client for threads; ``steadis.asyncio.connect`` one for event loops.
"""

from steadis._client import Client, View, connect
from steadis._errors import (
    AuthError,
    BusyError,
    ClosedError,
    ConfigError,
    Error,
    InternalError,
    LockError,
    MaybeExecutedError,
    ServerError,
    TimeoutError,
    UnavailableError,
    UsageError,
)
from steadis._lock import Lock
from steadis._pipeline import Pipeline, Queue
from steadis._script import Script
from steadis._steadis import __version__
from steadis._subscription import Subscription

TYPE_CHECKING = False
if TYPE_CHECKING:
    from steadis._events import Event
    from steadis._resolver import Primary, Resolver
    from steadis._values import Explanation, Gap, Health, Message, Sentinel, Setting, Topology

__all__ = [
    "AuthError",
    "BusyError",
    "Client",
    "ClosedError",
    "ConfigError",
    "Error",
    "Event",
    "Explanation",
    "Gap",
    "Health",
    "InternalError",
    "Lock",
    "LockError",
    "MaybeExecutedError",
    "Message",
    "Pipeline",
    "Primary",
    "Queue",
    "Resolver",
    "Script",
    "Sentinel",
    "ServerError",
    "Setting",
    "Subscription",
    "TimeoutError",
    "Topology",
    "UnavailableError",
    "UsageError",
    "View",
    "__version__",
    "connect",
]


#: What not every program needs is loaded when it is asked for.
_LATER = {
    "_events": ("Event",),
    "_resolver": ("Primary", "Resolver"),
    "_values": ("Explanation", "Gap", "Health", "Message", "Sentinel", "Setting", "Topology"),
}


def __getattr__(name: str) -> object:
    for module, names in _LATER.items():
        if name in names:
            from importlib import import_module

            return globals().setdefault(name, getattr(import_module(f"steadis.{module}"), name))
    raise AttributeError(f"module 'steadis' has no attribute {name!r}")
