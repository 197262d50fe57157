"""Who takes part, and the same operations in everybody's words."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bindings" / "python"))

BATCH = 100
VALUE = b"x" * 64
OURS = "steadis"
#: No client at all: what nobody can go below who lets other threads run while a call waits, or who
#: wakes a task up when its reply is there.
FLOOR = "no client"

Operations = dict[str, Callable[[], Any]]


def fill(port: int) -> None:
    import steadis

    with steadis.connect(f"redis://127.0.0.1:{port}") as client:
        client.set("k", VALUE)
        client.hset("h", mapping={f"field:{n}": f"value:{n}" for n in range(100)})
        client.rpush("l", *[f"item:{n}" for n in range(1000)])


def for_threads(port: int) -> dict[str, Operations]:
    import glide_sync as glide
    import redis

    import steadis

    ours = steadis.connect(f"redis://127.0.0.1:{port}")
    theirs = redis.Redis(port=port)
    address = [glide.NodeAddress("127.0.0.1", port)]
    other = glide.GlideClient.create(glide.GlideClientConfiguration(address))

    def batch_of(make: Callable[[], Any]) -> Callable[[], Any]:
        def send() -> None:
            pipeline = make()
            for _ in range(BATCH):
                pipeline.set("k", VALUE)
            pipeline.execute()

        return send

    def glide_batch() -> None:
        batch = glide.Batch(is_atomic=False)
        for _ in range(BATCH):
            batch.set("k", VALUE)
        other.exec(batch, raise_on_error=True)

    return {
        OURS: plain(ours) | {"pipeline": batch_of(ours.pipeline)},
        "redis-py": plain(theirs)
        | {"pipeline": batch_of(lambda: theirs.pipeline(transaction=False))},
        "glide": plain(other) | {"pipeline": glide_batch},
        FLOOR: {"get": lambda: time.sleep(0)},
    }


def plain(client: Any) -> Operations:
    return {
        "get": lambda: client.get("k"),
        "hgetall": lambda: client.hgetall("h"),
        "lrange": lambda: client.lrange("l", 0, -1),
    }


async def for_tasks(port: int) -> tuple[dict[str, Operations], Callable[[], Awaitable[None]]]:
    import coredis
    import glide
    import redis.asyncio

    import steadis.asyncio

    ours = steadis.asyncio.connect(f"redis://127.0.0.1:{port}")
    theirs = redis.asyncio.Redis(port=port)
    address = [glide.NodeAddress("127.0.0.1", port)]
    other = await glide.GlideClient.create(glide.GlideClientConfiguration(address))
    third = coredis.Redis(port=port)
    await third.__aenter__()

    async def close() -> None:
        await ours.close()
        await theirs.aclose()
        await other.close()
        await third.__aexit__(None, None, None)

    contenders = {
        OURS: plain(ours),
        "redis.asyncio": plain(theirs),
        "glide": plain(other),
        "coredis": plain(third),
        FLOOR: {"get": Answers().get},
    }
    return contenders, close


class Answers:
    """Futures that all get their value in the next turn of the loop."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.waiting: list[asyncio.Future[bytes]] = []

    def get(self) -> asyncio.Future[bytes]:
        if not self.waiting:
            self.loop.call_soon(self.answer)
        self.waiting.append(self.loop.create_future())
        return self.waiting[-1]

    def answer(self) -> None:
        answered, self.waiting = self.waiting, []
        for future in answered:
            future.set_result(VALUE)
