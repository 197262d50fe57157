"""Plays scenarios with the Python clients; docs/scenarios.md says how it is spoken to."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

TREE = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(TREE / "bindings" / "python"))

import steadis  # noqa: E402
import steadis.asyncio  # noqa: E402

#: What a worker does in each round.
ALONE = {"increments": ["incr", "get"], "reads": ["get"], "pipelines": ["incr"]}
ALONE |= {"transactions": ["multi"], "scripts": ["eval"], "watch": ["watch"]}
ALONE["fork"] = ALONE["increments"]
#: What one gives and another, at its side, takes or hears.
PAIRS = {"blocking": ("push", "pop"), "streams": ("add", "entry"), "pubsub": ("publish", "message")}
SCRIPT = "return {redis.call('INCR', KEYS[1]), redis.call('INCR', KEYS[2])}"
CHILDREN = 1000  # Forked children have worker numbers from here on.


def say(**line: Any) -> None:
    """One write without any lock, so that a forked child can log too."""
    os.write(1, json.dumps(line).encode() + b"\n")


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

    def __init__(self, op: str, key: str, shared: str = "", turn: int = 0, count: int = 1) -> None:
        self.op, self.key, self.shared, self.turn, self.count = op, key, shared, turn, count
        self.start, self.written = time.monotonic_ns(), 0

    def ends(self, reply: Any) -> None:
        """Logs the reply, or the error, of each operation."""
        end = time.monotonic_ns()
        if self.op == "watch" and not isinstance(reply, Exception):
            reply = self.written
        many = self.count > 1 and not isinstance(reply, Exception)
        for outcome in reply if many else [reply] * self.count:
            line = {"op": self.op, "key": self.key, "start": self.start, "end": end}
            if isinstance(outcome, Exception):
                kind = getattr(outcome, "kind", type(outcome).__name__)
                code = getattr(outcome, "code", None)
                line["error"] = {"kind": kind, "code": code, "message": str(outcome)}
            else:
                line["value"] = number(outcome)
            say(**line)

    def add_one(self, value: Any) -> int:
        """Nobody else may change the key meanwhile."""
        self.written = int(value or 0) + 1
        return self.written

    def change(self, view: Any, tx: Any) -> None:
        tx.set(self.key, self.add_one(view.get(self.key)))

    async def change_in_loop(self, view: Any, tx: Any) -> None:
        tx.set(self.key, self.add_one(await view.get(self.key)))


class Order(SimpleNamespace):
    """What the driver asks for."""

    def pause(self, worker: int) -> float:
        """Who waits for a partner needs no sleep."""
        return 0 if self.workload in PAIRS and worker % 2 == 0 else self.think_ms / 1000

    def steps(self, worker: int, turn: int) -> Iterator[Step]:
        """What the worker of this number does in its round of this number, from 1."""
        key = f"{self.prefix}n{worker}"
        if self.workload in PAIRS:
            # Workers 6 and 7 share what is called 7.
            op, shared = PAIRS[self.workload][worker % 2 == 0], f"{self.prefix}n{worker | 1}:shared"
            yield Step(op, key, shared=shared, turn=turn)
        else:
            count = self.batch if self.workload == "pipelines" else 1
            yield from (Step(op, key, count=count) for op in ALONE[self.workload])


class Kept:
    """What a worker keeps from round to round."""

    def __init__(self, client: Any) -> None:
        self.news = client.pubsub()
        self.last: Any = "0"

    def read(self, step: Step, reply: Any) -> Any:
        """The reply, and the place in a stream up to which it was read."""
        if step.op != "entry" or not reply:
            return reply
        (((self.last, fields),),) = reply.values()
        return [step.shared, *fields.values()]


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
        case "watch":
            awaited = isinstance(client, steadis.asyncio.Client)
            return client.watch([step.key], step.change_in_loop if awaited else step.change)
    if step.count == 1:
        return client.incr(step.key)
    pipeline = client.pipeline()
    for _ in range(step.count):
        pipeline.incr(step.key)
    return pipeline.execute(raise_on_error=False)


def connect(module: Any) -> Any:
    step = Step("connect", "")
    try:
        client = module.connect()
    except steadis.Error as error:
        return step.ends(error)
    for name in ("failover", "hold", "resume", "sentinel", "replicas", "warning"):
        client.on(name, lambda it: say(event=it.name, at=time.monotonic_ns(), says=str(it)))
    return client


def rounds(client: Any, order: Order, worker: int, goes_on: Callable[[int], bool]) -> None:
    kept = Kept(client)
    turn = 1
    while goes_on(turn):
        for step in order.steps(worker, turn):
            try:
                step.ends(kept.read(step, call(client, kept, step)))
            except Exception as error:
                step.ends(error)
        time.sleep(order.pause(worker))
        turn += 1


def play(order: Order) -> None:
    """One thread for each worker."""
    if (client := connect(steadis)) is None:
        return
    stop = threading.Event()
    threads = [
        threading.Thread(target=rounds, args=(client, order, worker, lambda _: not stop.is_set()))
        for worker in range(order.workers)
    ]
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
    if (client := connect(steadis.asyncio)) is None:
        return
    stop = asyncio.Event()

    async def work(worker: int) -> None:
        kept = Kept(client)
        turn = 1
        while not stop.is_set():
            for step in order.steps(worker, turn):
                try:
                    step.ends(kept.read(step, await call(client, kept, step)))
                except Exception as error:
                    step.ends(error)
            await asyncio.sleep(order.pause(worker))
            turn += 1

    async with asyncio.TaskGroup() as group:
        for worker in range(order.workers):
            group.create_task(work(worker))
        await asyncio.to_thread(sys.stdin.readline)
        stop.set()
    await client.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--mode", choices=["threads", "asyncio", "uvloop"], default="threads")
    mode = parser.parse_args().mode
    say(ready=True, workloads=[it for it in (*ALONE, *PAIRS) if it != "fork" or mode == "threads"])
    if line := sys.stdin.readline():
        order = Order(**json.loads(line))
        if mode == "threads":
            play(order)
        else:
            __import__(mode).run(play_in_loop(order))
    say(done=True)


if __name__ == "__main__":
    main()
