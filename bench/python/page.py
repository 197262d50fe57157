"""Steadis beside its peers, in turns of a fraction of a second: ratios, never bare rates."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from contenders import FLOOR, OURS, Operations, fill, for_tasks, for_threads
from measure import SLICE, Slices, tasks, threads
from server import Server, server

TREE = Path(__file__).resolve().parents[2]
#: Operation, callers, and the ratio to the best peer that must be kept.
CROWD = 64
THREADS = [("get", 1, 1.7), ("get", CROWD, 4.0), ("pipeline", 1, 4.0)]
THREADS += [("hgetall", 1, 1.5), ("lrange", 1, 1.25)]
TASKS = [("get", 1, 2.0), ("get", CROWD, 6.0), ("hgetall", 1, 1.5), ("lrange", 1, 1.25)]


def show(title: str, must: float, all_slices: dict[str, Slices]) -> None:
    """A table of one comparison; ratios are to ours, so more than 1 is what we are ahead."""
    ours = all_slices[OURS]
    ahead = {name: ours.ratio(it) for name, it in all_slices.items() if name != OURS}
    least = min(ratio for name, ratio in ahead.items() if name != FLOOR)
    mark = "" if least >= must else "  BELOW"
    print(f"\n{title}: {least:.2f} × the best peer, must {must}{mark}")
    for name, slices in all_slices.items():
        cpu, wait = slices.figures()
        times = "" if name == OURS else f"{ahead[name]:7.2f} ×"
        print(f"  {name:14}{cpu:9.1f} µs CPU{wait:10.1f} µs p50 {times}")


def named(contenders: dict[str, Operations], operation: str) -> dict[str, Callable[[], object]]:
    return {name: them[operation] for name, them in contenders.items() if operation in them}


def page_of_threads(redis: Server, turns: int) -> None:
    contenders = for_threads(redis.port)
    for operation, callers, must in THREADS:
        running = named(contenders, operation)
        slices = {name: Slices() for name in running}
        redis.share_processors(callers)
        for do in running.values():
            threads(do, callers, Slices())
        for _ in range(turns):
            for name, do in running.items():
                threads(do, callers, slices[name])
        show(f"{operation}, {callers} threads", must, slices)


async def page_of_tasks(redis: Server, turns: int, loop: str) -> None:
    # Its threads shall be able to run anywhere, whoever starts some.
    redis.share_processors(CROWD)
    contenders, close = await for_tasks(redis.port)
    for operation, callers, must in TASKS:
        running = named(contenders, operation)
        slices = {name: Slices() for name in running}
        redis.share_processors(callers)
        for do in running.values():
            await tasks(do, callers, Slices())
        for _ in range(turns):
            for name, do in running.items():
                await tasks(do, callers, slices[name])
        show(f"{operation}, {callers} tasks, {loop}", must, slices)
    await close()


def page_of_starts(redis: Server) -> None:
    """Fresh processes, in turns; the first of each leaves its compiled modules to the others."""
    redis.share_processors(1)
    program = Path(__file__).with_name("cold.py")
    kinds = [OURS, "redis-py", "glide"]
    found: dict[str, list[dict[str, float]]] = {kind: [] for kind in kinds}
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(TREE / "target" / "python-cache")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    for turn in range(6):
        for kind in kinds:
            line = [sys.executable, str(program), kind, str(redis.port)]
            said = subprocess.run(line, capture_output=True, text=True, check=True, env=environment)
            if turn > 0:
                found[kind].append(json.loads(said.stdout))
    print("\nimport 10 ×, next connection 5 ×, memory of a further client 4 × less: must")
    for kind, runs in found.items():
        middle = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
        print(f"  {kind:14}" + "".join(f"{value:10.2f} {name}" for name, value in middle.items()))


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
    turns = max(3, round(seconds / SLICE / 3))
    with server() as redis:
        fill(redis.port)
        page_of_starts(redis)
        page_of_threads(redis, turns)
        asyncio.run(page_of_tasks(redis, turns, "asyncio"))
        import uvloop

        uvloop.run(page_of_tasks(redis, turns, "uvloop"))


if __name__ == "__main__":
    main()
