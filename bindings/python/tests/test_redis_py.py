"""redis-py, led by Steadis: what it is made of, and through failovers."""

from __future__ import annotations

import asyncio
import pickle
import threading
from functools import partial

import pytest
import redis
import redis.asyncio

import steadis
import steadis.redis_py
import steadis.redis_py.asyncio
from conftest import Lab, Server

POOLS = [
    steadis.redis_py.ConnectionPool,
    steadis.redis_py.BlockingConnectionPool,
]


@pytest.mark.parametrize("pool", POOLS)
def test_one_string_that_can_be_pickled_is_all_it_takes(
    server: Server, pool: type[redis.ConnectionPool]
) -> None:
    make = partial(pool.from_url, server.url, decode_responses=True)
    client = redis.Redis(connection_pool=pickle.loads(pickle.dumps(make))())
    assert client.set("k", "v") and client.get("k") == "v"
    assert isinstance(client.connection_pool.get_connection(), steadis.redis_py.Connection)


def test_its_errors_and_features_stay_its_own(server: Server) -> None:
    client = steadis.redis_py.Redis(server.url)
    client.set("text", "x")
    with pytest.raises(redis.ResponseError, match="not an integer"):
        client.incr("text")
    with client.pipeline() as pipeline:
        assert pipeline.set("n", 1).incr("n").execute() == [True, 2]
    with client.pubsub() as news:
        news.subscribe("news")
        client.publish("news", "a")
        heard = [news.get_message(timeout=5), news.get_message(timeout=5)]
        assert [it and it["data"] for it in heard] == [1, b"a"]
    with client.lock("l", timeout=5):
        assert client.exists("l")


def test_wrong_settings_are_refused_in_our_words() -> None:
    with pytest.raises(steadis.ConfigError, match="port"):
        steadis.redis_py.Redis("redis://h:port").ping()


def test_threads_through_a_failover(lab: Lab) -> None:
    """The old primary says READONLY or closes; nobody of the callers hears of it."""
    client = steadis.redis_py.Redis(lab.url)
    errors: list[Exception] = []
    counted = [0] * 4
    with steadis.Resolver() as resolver:
        epoch = resolver.primary().epoch
        changed = threading.Event()
        resolver.on_change(lambda now: now and now.epoch > epoch and changed.set())

        def work(number: int) -> None:
            while not changed.is_set() or counted[number] % 50:
                try:
                    counted[number] = client.incr(f"n{number}")
                except Exception as error:
                    errors.append(error)
                    counted[number] += 1

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        lab.do("failover")
        assert changed.wait(40)
        for thread in threads:
            thread.join()
    assert all(isinstance(error, steadis.MaybeExecutedError) for error in errors), errors
    assert len(errors) <= 4
    assert client.role()[0] in (b"master", "master")


def test_tasks_through_a_crash(lab: Lab) -> None:
    async def story() -> None:
        client = steadis.redis_py.asyncio.Redis(lab.url)
        await client.set("n", 0)
        loop, errors, changed = asyncio.get_running_loop(), [], asyncio.Event()
        with steadis.Resolver() as resolver:
            epoch = resolver.primary().epoch

            def listen(now: steadis.Primary | None) -> None:
                if now is not None and now.epoch > epoch:
                    loop.call_soon_threadsafe(changed.set)

            resolver.on_change(listen)

            async def work(key: str) -> None:
                while not changed.is_set():
                    try:
                        await client.incr(key)
                    except Exception as error:
                        errors.append(error)

            workers = [asyncio.create_task(work(f"n{number}")) for number in range(4)]
            await asyncio.to_thread(lab.do, "kill", name="primary")
            await asyncio.wait_for(changed.wait(), 40)
            await asyncio.gather(*workers)
        assert all(isinstance(error, steadis.MaybeExecutedError) for error in errors), errors
        assert len(errors) <= 4
        assert await client.incr("afterwards") == 1
        await client.aclose()

    asyncio.run(story())
