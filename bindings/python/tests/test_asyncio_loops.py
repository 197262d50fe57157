"""The client for event loops: which loop it belongs to, and what it leaves behind."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from typing import Any

import anyio
import pytest
import trio
import uvloop

import steadis
import steadis.asyncio as aio
from conftest import CHILD, Lab, Server, Story, run


def test_a_client_belongs_to_one_loop_at_a_time(server: Server) -> None:
    client = aio.connect(server.url)
    with pytest.raises(steadis.UsageError, match="no asyncio event loop"):
        client.get("k")

    async def ping() -> Any:
        return await client.ping()

    async def elsewhere() -> None:
        await ping()
        with pytest.raises(steadis.UsageError, match="another event loop"):
            await asyncio.to_thread(asyncio.run, ping())

    asyncio.run(elsewhere())
    # That loop is closed, so the client may move on.
    assert asyncio.run(ping()) == b"PONG"


def test_loops_in_threads_have_clients_of_their_own(server: Server) -> None:
    async def work(key: str) -> int:
        async with aio.connect(server.url) as client:
            await client.delete(key)
            await asyncio.gather(*(client.incr(key) for _ in range(200)))
            return int(await client.get(key))

    results: list[int] = []
    threads = [
        threading.Thread(target=lambda n=n: results.append(asyncio.run(work(f"loop{n}"))))
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [200] * 8


def test_threads_may_race_for_the_first_call(server: Server) -> None:
    """One of the loops gets the client, and none stands still."""
    code = """
import asyncio, sys, threading
import steadis, steadis.asyncio

sys.setswitchinterval(1e-6)
kinds = set()

def race(client, barrier):
    async def ping():
        barrier.wait()
        try:
            kinds.add(await client.ping())
        except steadis.UsageError as error:
            kinds.add(str(error).split(";")[0])
    asyncio.run(ping())

for _ in range(100):
    client, barrier = steadis.asyncio.connect(sys.argv[1]), threading.Barrier(4)
    racers = [threading.Thread(target=race, args=(client, barrier)) for _ in range(4)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
print(sorted(kinds, key=str))
"""
    loser = "the client belongs to another event loop"
    assert run(code, server.url) in (f"[b'PONG', '{loser}']\n", "[b'PONG']\n")


def test_under_anyio_and_trio(server: Server) -> None:
    async def with_anyio() -> None:
        async with aio.connect(server.url) as client, anyio.create_task_group() as group:
            for _ in range(10):
                group.start_soon(client.ping)
            with anyio.move_on_after(0.05) as scope:
                await client.blpop("nothing", timeout=0)
            assert scope.cancelled_caught

    anyio.run(with_anyio, backend="asyncio")

    async def with_trio() -> None:
        with pytest.raises(steadis.UsageError, match="trio"):
            await aio.connect(server.url).ping()

    trio.run(with_trio)


def test_forgotten_clients_are_let_go(server: Server) -> None:
    async def story() -> None:
        client = aio.connect(server.url)
        await client.ping()
        gone = weakref.ref(client)
        del client
        gc.collect()
        assert gone() is None
        # A call keeps alive what it needs.
        assert await aio.connect(server.url).ping() == b"PONG"

    asyncio.run(story())


def test_nothing_is_leaked(play: Callable[[Story], Any]) -> None:
    async def story(client: aio.Client) -> None:
        async def work() -> None:
            await client.set("k", "v", ex=60)
            await asyncio.gather(*(client.get("k") for _ in range(5)))
            await client.pipeline().incr("n").execute()
            cancelled = client.get("k")
            cancelled.cancel()
            with pytest.raises(steadis.UsageError):
                await client.get(None)

        async def growth() -> int:
            before = sys.getallocatedblocks()
            for _ in range(150):
                await work()
            # Its reply comes after those of the cancelled calls.
            await client.ping()
            gc.collect()
            return sys.getallocatedblocks() - before

        # A leak grows each time; what is kept once, by whomever, does not.
        assert min([await growth() for _ in range(5)]) < 50

    play(story)


def test_programs_end_without_complaints(server: Server) -> None:
    """In development mode Python complains about what was left open or never awaited."""
    for ending in ("await client.close()", "pass", "asyncio.ensure_future(client.blpop('x', 0))"):
        code = f"""
import asyncio, sys, steadis.asyncio
async def main():
    client = steadis.asyncio.connect(sys.argv[1])
    await client.ping()
    {ending}
asyncio.run(main())
print("well")
"""
        line = [sys.executable, "-c", code, server.url]
        ended = subprocess.run(line, env=_env(), capture_output=True, text=True, timeout=60)
        assert (ended.stdout, ended.stderr, ended.returncode) == ("well\n", "", 0)
    clean = "import asyncio, sys, steadis.asyncio as s\n" + (
        "async def main():\n"
        "    async with s.connect(sys.argv[1]) as client:\n"
        "        print(await client.ping())\n"
        "asyncio.run(main())\n"
    )
    assert run(clean, server.url) == "b'PONG'\n"


def _env() -> dict[str, str]:
    return {**os.environ, **CHILD}


@pytest.mark.parametrize("play", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_replies_of_many_tls_records_come_whole(play: Callable[[Any], Any]) -> None:
    lab = Lab("--tls", "--replicas", "0", "--sentinels", "1")
    value = b"".join(b"%07d\n" % number for number in range(100_000))

    async def story() -> None:
        async with aio.connect(env=lab.env) as client:
            await client.set("k", value)
            replies = await asyncio.gather(*(client.get("k") for _ in range(8)), client.ping())
            assert replies == [value] * 8 + [b"PONG"]

    try:
        play(story())
    finally:
        lab.stop()
