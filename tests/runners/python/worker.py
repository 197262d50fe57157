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

WORKLOADS = ["increments", "reads", "pipelines", "transactions", "scripts"]
WORKLOADS += ["blocking", "watch", "pubsub"]
SCRIPT = "return {redis.call('INCR', KEYS[1]), redis.call('INCR', KEYS[2])}"
CHILDREN = 1000  # Forked children have worker numbers from here on.


def say(**line: Any) -> None:
    """One write without any lock, so that a forked child can log too."""
    os.write(1, json.dumps(line).encode() + b"\n")


def failure(error: Exception) -> dict[str, Any]:
    kind = getattr(error, "kind", type(error).__name__)
    return {"kind": kind, "code": getattr(error, "code", None), "message": str(error)}


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
                line["error"] = failure(outcome)
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
        waits = self.workload in ("blocking", "pubsub") and worker % 2 == 0
        return 0 if waits else self.think_ms / 1000

    def steps(self, worker: int, turn: int) -> Iterator[Step]:
        """What the worker of this number does in its round of this number, from 1."""
        key = f"{self.prefix}n{worker}"
        # Workers 6 and 7 share what is called 7: one takes or hears what the other gives.
        gives, shared = worker % 2 == 1, f"{self.prefix}n{worker | 1}:shared"
        match self.workload:
            case "reads":
                yield Step("get", key)
            case "pipelines":
                yield Step("incr", key, count=self.batch)
            case "transactions":
                yield Step("multi", key)
            case "scripts":
                yield Step("eval", key)
            case "watch":
                yield Step("watch", key)
            case "blocking":
                yield Step("push" if gives else "pop", key, shared=shared, turn=turn)
            case "pubsub":
                yield Step("publish" if gives else "message", key, shared=shared, turn=turn)
            case _:
                yield Step("incr", key)
                yield Step("get", key)


def call(client: Any, news: Any, step: Step) -> Any:
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
        case "message":
            news.subscribe(step.shared)
            return news.get_message(timeout=1)
        case "watch":
            awaited = isinstance(client, steadis.asyncio.Client)
            return client.watch([step.key], step.change_in_loop if awaited else step.change)
    if step.count == 1:
        return client.incr(step.key)
    pipeline = client.pipeline()
    for _ in range(step.count):
        pipeline.incr(step.key)
    return pipeline.execute(raise_on_error=False)


def report(event: steadis.Event) -> None:
    say(event=event.name, at=time.monotonic_ns(), says=str(event))


def connect(module: Any) -> Any:
    step = Step("connect", "")
    try:
        client = module.connect()
    except steadis.Error as error:
        return step.ends(error)
    for name in ("failover", "hold", "resume", "sentinel", "replicas", "warning"):
        client.on(name, report)
    return client


def rounds(client: Any, order: Order, worker: int, goes_on: Callable[[int], bool]) -> None:
    news = client.pubsub()
    turn = 1
    while goes_on(turn):
        for step in order.steps(worker, turn):
            try:
                step.ends(call(client, news, step))
            except Exception as error:
                step.ends(error)
        time.sleep(order.pause(worker))
        turn += 1


def play(order: Order) -> None:
    """One thread for each worker."""
    client = connect(steadis)
    if client is None:
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
    client = connect(steadis.asyncio)
    if client is None:
        return
    stop = asyncio.Event()

    async def work(worker: int) -> None:
        news = client.pubsub()
        turn = 1
        while not stop.is_set():
            for step in order.steps(worker, turn):
                try:
                    step.ends(await call(client, news, step))
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
    say(ready=True, workloads=WORKLOADS + (["fork"] if mode == "threads" else []))
    if line := sys.stdin.readline():
        order = Order(**json.loads(line))
        if mode == "threads":
            play(order)
        else:
            __import__(mode).run(play_in_loop(order))
    say(done=True)


if __name__ == "__main__":
    main()
