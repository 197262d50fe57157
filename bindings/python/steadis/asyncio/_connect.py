"""Connections of the loop for the core."""

from __future__ import annotations

import asyncio
from typing import Any


class Link(asyncio.BufferedProtocol):
    """What the core gives a connection to."""

    def failed(self, why: str) -> None:
        """There will be none."""


class Protocol(asyncio.BufferedProtocol):
    """The link, as something that asyncio takes for a protocol with a buffer of its own."""

    def __init__(self, link: Link) -> None:
        for name in METHODS:
            setattr(self, name, getattr(link, name))


METHODS = [name for name in dir(asyncio.BufferedProtocol) if not name.startswith("_")]


Files = tuple[str | None, str | None, str | None, str | None]


def connect(
    loop: asyncio.AbstractEventLoop, link: Link, to: tuple[str, int | None], tls: Files | None
) -> asyncio.Task[None]:
    """Connects in a task, which can be cancelled."""
    return loop.create_task(_connect(loop, link, to, tls), name="steadis-connect")


async def _connect(
    loop: asyncio.AbstractEventLoop, link: Link, to: tuple[str, int | None], tls: Files | None
) -> None:
    place, port = to
    try:
        options: dict[str, Any] = {}
        if tls is not None:
            from steadis import _tls

            ca, cert, key, name = tls
            options = {"ssl": _tls.context(ca, cert, key), "server_hostname": name or place}
        if port is None:
            await loop.create_unix_connection(lambda: Protocol(link), place, **options)
        else:
            await loop.create_connection(lambda: Protocol(link), place, port, **options)
    except OSError as why:
        link.failed(f"cannot connect: {why}")
