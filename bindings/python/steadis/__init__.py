"""One Redis connection that stays up through failover.

    import steadis
    r = steadis.connect()          # REDIS_SENTINEL_LIST, REDIS_SENTINEL_MASTER, … or a URL
    r.set("cart:7", "3 items", ex=900)

:func:`connect` gives a client for threads; ``steadis.asyncio.connect`` one for event loops.
"""

from typing import TYPE_CHECKING, Any

from steadis._client import Client, Pipeline, Queue, Script, Subscription, View, connect
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
from steadis._resolver import Primary, Resolver
from steadis._steadis import __version__
from steadis._values import Explanation, Gap, Health, Message, Sentinel, Setting, Topology

if TYPE_CHECKING:
    from steadis._events import Event as Event

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


def __getattr__(name: str) -> Any:
    """What few programs need is loaded when it is asked for."""
    if name == "Event":
        from steadis._events import Event

        return Event
    raise AttributeError(f"module 'steadis' has no attribute {name!r}")
