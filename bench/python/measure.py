"""One slice of one contender, and what a row of slices comes to."""

from __future__ import annotations

import resource
import statistics
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

#: How long one contender runs before it is the next one's turn.
SLICE = 0.15


@dataclass
class Slices:
    """What one contender did in all its turns."""

    rates: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    def add(self, count: int, seconds: float, cpu: float, waits: list[float]) -> None:
        self.rates.append(count / seconds)
        self.cpu.append(cpu / count * 1e6)
        self.waits += waits

    def figures(self) -> tuple[float, float]:
        """Processor time of an operation, and the median of its duration, in microseconds."""
        return statistics.median(self.cpu), statistics.median(self.waits) * 1e6

    def ratio(self, other: Slices) -> float:
        """How many times as much as another did in its turns beside these."""
        return statistics.median(a / b for a, b in zip(self.rates, other.rates, strict=True))


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def threads(operation: Callable[[], object], count: int, slices: Slices) -> None:
    """Some threads do it over and over for a slice, which begins when all of them are there."""
    done: list[list[float]] = [[] for _ in range(count)]
    begin = threading.Event()

    def work(waits: list[float]) -> None:
        clock = time.perf_counter
        begin.wait()
        before = clock()
        while before < end:
            operation()
            after = clock()
            waits.append(after - before)
            before = after

    workers = [threading.Thread(target=work, args=(waits,)) for waits in done[1:]]
    for worker in workers:
        worker.start()
    began, used = time.perf_counter(), cpu()
    end = began + SLICE
    begin.set()
    work(done[0])
    for worker in workers:
        worker.join()
    waits = [wait for one in done for wait in one]
    slices.add(len(waits), time.perf_counter() - began, cpu() - used, waits)


async def tasks(operation: Callable[[], Awaitable[object]], count: int, slices: Slices) -> None:
    """Some tasks do it over and over for a slice."""
    import asyncio

    end = time.perf_counter() + SLICE
    waits: list[float] = []

    async def work() -> None:
        clock = time.perf_counter
        before = clock()
        while before < end:
            await operation()
            after = clock()
            waits.append(after - before)
            before = after

    began, used = time.perf_counter(), cpu()
    await asyncio.gather(*(work() for _ in range(count)))
    slices.add(len(waits), time.perf_counter() - began, cpu() - used, waits)
