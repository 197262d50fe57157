"""Locks that clients share through the server, for event loops."""

from __future__ import annotations

import asyncio
import os
from types import TracebackType
from typing import Self

from steadis._lock import LockState


class Lock(LockState):
    """A lock with a token: only its holder can release or extend it.

    A failover that loses the write which took it lets a second holder in; see the documents.
    """

    async def acquire(
        self, blocking: bool | None = None, blocking_timeout: float | None = None
    ) -> bool:
        """Takes the lock; ``False`` if somebody else held it all the time."""
        token = os.urandom(16).hex()
        deadline = self._deadline(blocking, blocking_timeout)
        while not await self._client.set(self.name, token, nx=True, px=self._lasts):
            pause = self._pause_before(deadline)
            if pause is None:
                return False
            await asyncio.sleep(pause)
        self.token = token
        return True

    async def release(self) -> None:
        """Gives the lock back."""
        token, self.token = self._held(), None
        if not await self._release(keys=[self.name], args=[token]):
            raise self._lost("had run out before it was released")

    async def extend(self, seconds: float) -> None:
        """Lets the lock last so many seconds from now."""
        if not await self._extend(keys=[self.name], args=[self._held(), round(seconds * 1000)]):
            raise self._lost("had run out before it was extended")

    async def locked(self) -> bool:
        """Whether anybody holds it."""
        return bool(await self._client.exists(self.name))

    async def owned(self) -> bool:
        """Whether this object holds it."""
        if self.token is None:
            return False
        value = await self._client.get(self.name)
        return value in (self.token, self.token.encode())

    async def __aenter__(self) -> Self:
        if not await self.acquire():
            raise self._lost("could not be acquired in time")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.release()
