"""The promises, seen from Python while a real primary changes."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import Any

import pytest

import steadis
import steadis.asyncio as aio
from conftest import Lab


def test_threads_do_not_notice_a_planned_failover(lab: Lab) -> None:
    events: list[steadis.Event] = []
    heard = threading.Event()

    def listen(event: steadis.Event) -> None:
        if event.from_:
            events.append(event)
            heard.set()

    with steadis.connect() as client:
        client.on("failover", listen)
        before = client.ready().topology()
        stop = threading.Event()
        counted = [0] * 16
        errors: list[Exception] = []

        def work(number: int) -> None:
            while not stop.is_set():
                try:
                    counted[number] += 1
                    assert client.incr(f"n{number}") == counted[number]
                except Exception as error:
                    errors.append(error)
                    return

        threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
        for thread in threads:
            thread.start()
        lab.do("failover")
        assert heard.wait(40)
        lab.wait("agreed")
        stop.set()
        for thread in threads:
            thread.join()
        assert errors == []
        after = client.topology()
        assert (after.primary, after.epoch > before.epoch) == (events[-1].to, True)
        assert events[-1].from_ == before.primary
        assert client.health() in ("ready", "degraded")
        assert len(after.sentinels) == 3


def test_a_killed_primary_costs_at_most_the_writes_in_flight(lab: Lab) -> None:
    async def story() -> None:
        async with aio.connect() as client:
            switched = asyncio.Event()
            client.on("failover", lambda event: event.from_ and switched.set())
            await client.ready()
            errors: list[Exception] = []

            async def work(key: str) -> None:
                while not switched.is_set():
                    try:
                        await client.incr(key)
                    except Exception as error:
                        errors.append(error)

            workers = [asyncio.create_task(work(f"n{number}")) for number in range(16)]
            await asyncio.to_thread(lab.do, "kill", name="primary")
            await asyncio.wait_for(switched.wait(), 40)
            await asyncio.gather(*workers)
            assert all(isinstance(error, steadis.MaybeExecutedError) for error in errors)
            assert len(errors) <= 16
            assert await client.get("n0") is not None

    asyncio.run(story())


def test_subscribers_hear_on_and_learn_of_the_gap(lab: Lab) -> None:
    with steadis.connect() as client, client.subscribe("news") as subscription:
        subscription.ready()
        client.publish("news", "before")
        assert next(subscription) == (b"news", None, b"before")
        lab.do("kill", name="primary")
        gap = next(subscription)
        assert isinstance(gap, steadis.Gap)
        assert gap.since < gap.until
        client.publish("news", "after")
        assert next(subscription) == (b"news", None, b"after")


def test_tasks_hear_on_and_learn_of_the_gap(lab: Lab) -> None:
    async def story() -> None:
        async with aio.connect() as client, client.subscribe("news") as subscription:
            await subscription.ready()
            await asyncio.to_thread(lab.do, "kill", name="primary")
            gap = await anext(subscription)
            assert isinstance(gap, steadis.Gap)
            await client.publish("news", "after")
            assert await anext(subscription) == (b"news", None, b"after")

    asyncio.run(story())


def test_ctrl_c_during_a_hold_ends_the_call_alone(lab: Lab) -> None:
    import _thread

    with steadis.connect() as client:
        client.set("k", "v")
        holding = threading.Event()

        def interrupt(_: Any) -> None:
            holding.set()
            _thread.interrupt_main()

        client.on("hold", interrupt)
        with pytest.raises(KeyboardInterrupt):
            lab.do("freeze", name="primary")
            while True:
                # The one that was in flight may be given up first.
                with contextlib.suppress(steadis.MaybeExecutedError):
                    client.set("k", "w")
        assert holding.is_set()
        assert client.get("k") in (b"v", b"w")


def test_replicas_answer_reads(lab: Lab) -> None:
    with steadis.connect() as client:
        client.set("k", "v")
        lab.wait("in-sync")
        replica = client.replica(policy="replica")
        assert replica.get("k") == b"v"
        with pytest.raises(steadis.UsageError):
            replica.set("k", "w")
        with pytest.raises(steadis.UsageError, match="somewhere"):
            client.replica(policy="somewhere")
