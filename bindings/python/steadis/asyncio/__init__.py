"""The client for event loops: the methods of the other one, to be awaited.

import steadis.asyncio
r = steadis.asyncio.connect()
await r.set("cart:7", "3 items", ex=900)
"""

from steadis.asyncio._client import Client, View, connect
from steadis.asyncio._lock import Lock
from steadis.asyncio._pipeline import Pipeline
from steadis.asyncio._subscription import Subscription

__all__ = ["Client", "Lock", "Pipeline", "Subscription", "View", "connect"]
