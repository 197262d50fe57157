"""Connections of the loop for the core."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any


class Link(asyncio.Protocol):
    """What the core gives a connection to."""

    def failed(self, why: str) -> None:
        """There will be none."""


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
        context = None if tls is None else _context(tls)
        options: dict[str, Any] = {"ssl": context}
        if tls is not None:
            options["server_hostname"] = tls[3] or place
        if port is None:
            await loop.create_unix_connection(lambda: link, place, **options)
        else:
            await loop.create_connection(lambda: link, place, port, **options)
    except OSError as why:
        link.failed(f"cannot connect: {why}")


def _context(tls: Files) -> ssl.SSLContext:
    ca, cert, key, _ = tls
    context = ssl.create_default_context(cafile=ca)
    if cert is not None:
        context.load_cert_chain(cert, key)
    return context
