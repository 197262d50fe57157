"""Plays scenarios with the Python clients; docs/scenarios.md says how it is spoken to."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

TREE = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(TREE / "bindings" / "python"))

import steadis  # noqa: E402
import steadis.asyncio  # noqa: E402

WORKLOADS = ["increments", "reads", "pipelines", "transactions", "scripts"]
WORKLOADS += ["blocking", "streams", "watch", "pubsub"]
SCRIPT = "return {redis.call('INCR', KEYS[1]), redis.call('INCR', KEYS[2])}"
#: The first worker number of a forked child; the parent's are below.
CHILDREN = 1000


def say(**line: Any) -> None:
    """One write without any lock, so that a forked child can log too."""
    os.write(1, json.dumps(line).encode() + b"\n")


def failure(error: Exception) -> dict[str, Any]:
    if not isinstance(error, steadis.Error):
        return {"kind": type(error).__name__, "code": None, "message": str(error)}
    return {"kind": error.kind, "code": error.code, "message": str(error)}


def number(value: Any) -> Any:
    """What was counted or heard, of a reply."""
    match value:
        case bytes():
            text = value.decode()
            return int(text) if text.isdecimal() else text
        case steadis.Message():
            return number(value.data)
        case steadis.Gap():
            return "gap"
        case list():
            return [number(item) for item in value]
    return value


class Step:
    """One operation, or a batch of them."""

    def __init__(
        self, op: str, key: str, *, shared: str = "", turn: int = 0, count: int = 1
    ) -> None:
        self.op, self.key, self.shared, self.turn, self.count = op, key, shared, turn, count

    def log(self, start: int, outcomes: list[Any]) -> None:
        end = time.monotonic_ns()
        for outcome in outcomes:
            line = {"op": self.op, "key": self.key, "start": start, "end": end}
            if isinstance(outcome, Exception):
                line["error"] = failure(outcome)
            else:
                line["value"] = number(outcome)
            say(**line)


class Order:
    """What the driver asks for."""

    def __init__(self, line: str) -> None:
        order = json.loads(line)
        self.workload: str = order["workload"]
        self.workers: int = order["workers"]
        self.think: float = order["think_ms"] / 1000
        self.batch: int = order["batch"]
        self.child_rounds: int = order["child_rounds"]
        self.prefix: str = order["prefix"]

    def pause(self, worker: int) -> float:
        """Who waits for a partner needs no sleep."""
        waits = self.workload in ("blocking", "streams", "pubsub") and worker % 2 == 0
        return 0 if waits else self.think

    def steps(self, worker: int, turn: int) -> list[Step]:
        """What the worker of this number does in its round of this number, from 1."""
        key = f"{self.prefix}n{worker}"
        # Workers 6 and 7 share what is called 7: one takes or hears what the other gives.
        gives, shared = worker % 2 == 1, f"{self.prefix}n{worker | 1}:shared"
        match self.workload:
            case "reads":
                return [Step("get", key)]
            case "pipelines":
                return [Step("incr", key, count=self.batch)]
            case "transactions":
                return [Step("multi", key)]
            case "scripts":
                return [Step("eval", key)]
            case "watch":
                return [Step("watch", key)]
            case "blocking":
                return [Step("push" if gives else "pop", key, shared=shared, turn=turn)]
            case "streams":
                return [Step("add" if gives else "entry", key, shared=shared, turn=turn)]
            case "pubsub":
                return [Step("publish" if gives else "message", key, shared=shared, turn=turn)]
        return [Step("incr", key), Step("get", key)]


class Kept:
    """What a worker keeps from round to round."""

    def __init__(self, client: Any) -> None:
        self.news = client.pubsub()
        self.last: Any = "0"

    def outcomes(self, step: Step, reply: Any) -> list[Any]:
        if step.op != "entry":
            return reply if step.count > 1 else [reply]
        if not reply:
            return [None]
        (((self.last, fields),),) = reply.values()
        return [[step.shared, *fields.values()]]


def call(client: Any, kept: Kept, step: Step) -> Any:
    """The reply, or what is awaited for it."""
    keys = [f"{step.key}:a", f"{step.key}:b"]
    match step.op:
        case "get":
            return client.get(step.key)
        case "multi":
            return client.multi().incr(keys[0]).incr(keys[1]).execute()
        case "eval":
            return client.eval(SCRIPT, 2, *keys)
        case "push":
            return client.rpush(step.shared, step.turn)
        case "pop":
            return client.blpop(step.shared, timeout=1)
        case "publish":
            return client.publish(step.shared, step.turn)
        case "add":
            return client.xadd(step.shared, {"n": step.turn})
        case "entry":
            return client.xread({step.shared: kept.last}, count=1, block=1000)
        case "message":
            kept.news.subscribe(step.shared)
            return kept.news.get_message(timeout=1)
    if step.count == 1:
        return client.incr(step.key)
    pipeline = client.pipeline()
    for _ in range(step.count):
        pipeline.incr(step.key)
    return pipeline.execute(raise_on_error=False)


def add_one(client: Any, key: str) -> int:
    """Nobody else may change the key meanwhile."""
    value = 0

    def change(view: Any, tx: Any) -> None:
        nonlocal value
        value = int(view.get(key) or 0) + 1
        tx.set(key, value)

    client.watch([key], change)
    return value


async def add_one_in_loop(client: Any, key: str) -> int:
    value = 0

    async def change(view: Any, tx: Any) -> None:
        nonlocal value
        value = int(await view.get(key) or 0) + 1
        tx.set(key, value)

    await client.watch([key], change)
    return value


def report(event: steadis.Event) -> None:
    say(event=event.name, at=time.monotonic_ns(), says=str(event))


def connect(module: Any) -> Any:
    start = time.monotonic_ns()
    try:
        client = module.connect()
    except steadis.Error as error:
        say(op="connect", key="", start=start, end=time.monotonic_ns(), error=failure(error))
        return None
    for name in ("failover", "hold", "resume", "sentinel", "replicas", "warning"):
        client.on(name, report)
    return client


def rounds(client: Any, order: Order, worker: int, goes_on: Callable[[int], bool]) -> None:
    kept = Kept(client)
    turn = 1
    while goes_on(turn):
        for step in order.steps(worker, turn):
            start = time.monotonic_ns()
            try:
                watches = step.op == "watch"
                reply = add_one(client, step.key) if watches else call(client, kept, step)
                step.log(start, kept.outcomes(step, reply))
            except Exception as error:
                step.log(start, [error] * step.count)
        time.sleep(order.pause(worker))
        turn += 1


def play(order: Order) -> None:
    """One thread for each worker."""
    client = connect(steadis)
    if client is None:
        return
    stop = threading.Event()

    def work(worker: int) -> None:
        rounds(client, order, worker, lambda _: not stop.is_set())

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(order.workers)]
    for thread in threads:
        thread.start()
    children: list[int] = []
    for line in sys.stdin:
        if "fork" not in line:
            break
        child = os.fork()
        if child == 0:
            rounds(client, order, CHILDREN + len(children), lambda turn: turn <= order.child_rounds)
            os._exit(0)
        children.append(child)
    stop.set()
    for thread in threads:
        thread.join()
    for child in children:
        os.waitpid(child, 0)
    client.close()


async def play_in_loop(order: Order) -> None:
    """One task for each worker."""
    client = connect(steadis.asyncio)
    if client is None:
        return
    stop = asyncio.Event()

    async def work(worker: int) -> None:
        kept = Kept(client)
        turn = 1
        while not stop.is_set():
            for step in order.steps(worker, turn):
                start = time.monotonic_ns()
                try:
                    watches = step.op == "watch"
                    reply = (
                        add_one_in_loop(client, step.key) if watches else call(client, kept, step)
                    )
                    step.log(start, kept.outcomes(step, await reply))
                except Exception as error:
                    step.log(start, [error] * step.count)
            await asyncio.sleep(order.pause(worker))
            turn += 1

    tasks = [asyncio.create_task(work(worker)) for worker in range(order.workers)]
    await asyncio.to_thread(sys.stdin.readline)
    stop.set()
    await asyncio.gather(*tasks)
    await client.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--mode", choices=["threads", "asyncio", "uvloop"], default="threads")
    mode = parser.parse_args().mode
    say(ready=True, workloads=WORKLOADS + (["fork"] if mode == "threads" else []))
    if line := sys.stdin.readline():
        match mode:
            case "threads":
                play(Order(line))
            case "asyncio":
                asyncio.run(play_in_loop(Order(line)))
            case "uvloop":
                import uvloop

                uvloop.run(play_in_loop(Order(line)))
    say(done=True)


if __name__ == "__main__":
    main()
