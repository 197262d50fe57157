"""The client for event loops, at home in asyncio."""

from __future__ import annotations

import asyncio
import gc
import os
import select
import weakref
from collections.abc import Callable
from typing import Any

import pytest

import steadis
import steadis.asyncio as aio
from conftest import Server, Story


def test_commands(play: Callable[[Story], Any]) -> None:
    async def story(client: aio.Client) -> None:
        assert await client.set("k", "ü", ex=60) == b"OK"
        assert await client.options(decode_responses=True).get("k") == "ü"
        assert await client.hset("h", mapping={"a": 1}) == 1
        assert await client.hgetall("h") == {b"a": b"1"}
        assert await client.execute_command("ECHO", "x") == b"x"
        with pytest.raises(steadis.ServerError):
            await client.incr("k")
        with pytest.raises(steadis.UsageError, match="object"):
            await client.get(object())
        assert await client.ready(timeout=5) is client

    play(story)


def test_many_calls_are_one_write_and_come_back_in_order(play: Callable[[Story], Any]) -> None:
    async def story(client: aio.Client) -> None:
        calls = [client.incr("n") for _ in range(1000)]
        assert await asyncio.gather(*calls) == list(range(1, 1001))

    play(story)


def test_a_reply_is_a_future_and_a_coroutine(play: Callable[[Story], Any]) -> None:
    async def story(client: aio.Client) -> None:
        assert await asyncio.create_task(client.ping()) == b"PONG"
        async with asyncio.TaskGroup() as group:
            in_group = group.create_task(client.incr("n"))
        assert in_group.result() == 1
        assert await asyncio.shield(client.ping()) == b"PONG"
        assert await asyncio.wait_for(client.ping(), 5) == b"PONG"
        assert await asyncio.gather(client.ping(), client.get(1)) == [b"PONG", None]
        done, _ = await asyncio.wait([asyncio.create_task(client.ping())])
        assert done.pop().result() == b"PONG"
        reply = client.ping()
        ended = asyncio.Event()
        reply.add_done_callback(lambda _: ended.set())
        await ended.wait()
        assert (reply.done(), reply.cancelled(), reply.exception()) == (True, False, None)
        assert reply.result() == b"PONG"
        task = asyncio.create_task(client.blpop("nothing", timeout=0))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    play(story)


def test_pipelines_transactions_scripts_and_iteration(play: Callable[[Story], Any]) -> None:
    async def story(client: aio.Client) -> None:
        async with client.pipeline() as pipeline:
            assert await pipeline.incr("n").get("n").execute() == [1, b"1"]
        assert await client.multi().incr("n").incr("n").execute() == [2, 3]
        outcomes = await client.pipeline().set("s", "x").incr("s").execute(raise_on_error=False)
        assert isinstance(outcomes[1], steadis.ServerError)
        with pytest.raises(steadis.ServerError):
            await client.pipeline().incr("s").execute()
        script = client.register_script("return ARGV[1]")
        assert await script(args=["x"]) == b"x"
        await client.call("SCRIPT", "FLUSH")
        assert await script(args=["y"]) == b"y"
        await client.mset({f"k{n}": n for n in range(50)})
        assert len({key async for key in client.scan_iter(match="k*", count=7)}) == 50
        await client.hset("h", mapping={"a": 1})
        assert [pair async for pair in client.hscan_iter("h")] == [(b"a", b"1")]

    play(story)


def test_watch_begins_again_until_nobody_interferes(play: Callable[[Story], Any]) -> None:
    async def story(client: aio.Client) -> None:
        await client.set("n", 1)
        attempts = []

        async def change(view: aio.View, tx: Any) -> None:
            value = int(await view.get("n"))
            attempts.append(value)
            if len(attempts) == 1:
                await client.set("n", 10)
            tx.set("n", value + 1)

        assert await client.watch(["n"], change) == [b"OK"]
        assert (attempts, await client.get("n")) == ([1, 10], b"11")

        async def fail(view: aio.View, tx: Any) -> None:
            raise KeyError(await view.get("n"))

        with pytest.raises(KeyError):
            await client.watch(["n"], fail)

    play(story)


def test_a_lock_belongs_to_its_token(play: Callable[[Story], Any]) -> None:
    async def story(client: aio.Client) -> None:
        async with client.lock("l", timeout=10) as held:
            assert await held.owned()
            assert not await client.lock("l", blocking=False).acquire()
            await held.extend(60)
        assert not await held.locked()
        with pytest.raises(steadis.LockError):
            await held.release()

    play(story)


def test_messages(play: Callable[[Story], Any]) -> None:
    async def story(client: aio.Client) -> None:
        async with client.subscribe("news", patterns=["user.*"]) as subscription:
            await subscription.ready()
            await client.publish("news", "a")
            await client.publish("user.7", b"\xff")
            assert await anext(subscription) == steadis.Message(b"news", None, b"a")
            assert await anext(subscription) == (b"user.7", b"user.*", b"\xff")
            assert await subscription.get_message(timeout=0.01) is None
            waiting = asyncio.ensure_future(anext(subscription))
            await asyncio.sleep(0)
        with pytest.raises(StopAsyncIteration):
            await waiting

    play(story)


def test_what_a_client_says_of_itself(server: Server) -> None:
    async def story() -> None:
        client = aio.connect(server.url)
        assert (client.topology().phase, client.health()) == ("resolving", "down")
        assert client.stats()["calls"] == 0
        await client.ping()
        assert client.health() == "ready"
        assert client.topology().primary == f"127.0.0.1:{server.port}"
        assert client.stats()["calls"] == 1
        assert "steadis_calls_total 1" in client.stats(format="prometheus")
        assert "port" in {setting.name for setting in client.explain()}
        await client.close()

    asyncio.run(story())


def test_a_cancelled_call_hurts_nobody_else(play: Callable[[Story], Any]) -> None:
    async def story(client: aio.Client) -> None:
        await client.mset({f"k{n}": n for n in range(100)})

        async def ask(number: int) -> None:
            assert await client.get(f"k{number}") == str(number).encode()

        for turn in range(100):
            tasks = [asyncio.create_task(ask(n)) for n in range(100)]
            # Before they have begun, before they are written, and while their replies are on
            # their way.
            for _ in range(turn % 4):
                await asyncio.sleep(0)
            for task in tasks[turn % 2 :: 2]:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            assert all(it is None or isinstance(it, asyncio.CancelledError) for it in ended)
        await ask(7)

    play(story)


def test_ten_thousand_cancellations_mix_no_replies(play: Callable[[Story], Any]) -> None:
    """Before they are written, on their way, and by `wait_for`; the others get their own."""

    async def story(client: aio.Client) -> None:
        await client.mset({f"k{n}": n for n in range(2000)})
        own = [b"%d" % n for n in range(2000)]
        cancelled = 0
        while cancelled < 10_000:
            calls = [client.get(f"k{n}") for n in range(2000)]
            if cancelled % 3:
                await asyncio.sleep(0)
            cancelled += sum(call.cancel() for call in calls[::2])
            assert await asyncio.gather(*calls[1::2]) == own[1::2]
        hurried = [asyncio.wait_for(client.get(f"k{n}"), n % 2 * 30) for n in range(2000)]
        ended = await asyncio.gather(*hurried, return_exceptions=True)
        for got, mine in zip(ended, own, strict=True):
            assert got == mine or isinstance(got, TimeoutError)
        assert ended[1::2] == own[1::2]
        assert client.stats()["failed"] == 0

    play(story)


def test_an_error_that_nobody_awaits_is_told_to_the_loop(play: Callable[[Story], Any]) -> None:
    async def story(client: aio.Client) -> None:
        told: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, it: told.append(it))
        await client.set("text", "x")
        client.incr("text")
        with pytest.raises(steadis.ServerError):
            await client.incr("text")
        gc.collect()
        assert [isinstance(it["exception"], steadis.ServerError) for it in told] == [True]

    play(story)


def test_replies_in_a_circle_are_garbage(play: Callable[[Story], Any]) -> None:
    async def story(client: aio.Client) -> None:
        class Holder:
            pass

        holder = Holder()
        gone = weakref.ref(holder)
        reply = client.incr("n")
        # The reply holds the holder, which holds the reply.
        reply.add_done_callback(lambda _, holder=holder: None)
        holder.reply = reply  # type: ignore[attr-defined]
        await reply
        await client.set("text", "x")
        error: BaseException | None = None
        try:
            await client.incr("text")
        except steadis.ServerError as caught:
            error = caught
        holder.error, error.holder = error, holder  # type: ignore[union-attr, attr-defined]
        del holder, reply, error
        # The reply that we woke up by is let go.
        await asyncio.sleep(0)
        gc.collect()
        assert gone() is None

    play(story)


def test_one_task_that_ends_the_program_leaves_the_others_their_replies(server: Server) -> None:
    loop = asyncio.new_event_loop()

    async def connect() -> aio.Client:
        return await aio.connect(server.url).ready()

    client = loop.run_until_complete(connect())

    async def leave() -> None:
        await client.ping()
        raise SystemExit(3)

    async def stay() -> bytes:
        return await client.ping()

    async def both() -> asyncio.Task[bytes]:
        leaving = loop.create_task(leave())
        staying = loop.create_task(stay())
        leaving.add_done_callback(lambda task: task.exception())
        return staying

    staying = loop.run_until_complete(both())
    with pytest.raises(SystemExit):
        loop.run_forever()
    assert loop.run_until_complete(staying) == b"PONG"
    loop.run_until_complete(client.close())
    loop.close()


def test_a_transport_may_read_while_a_task_runs(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Any] = []
    connect = asyncio.BaseEventLoop.create_connection

    async def create_connection(*arguments: Any, **options: Any) -> Any:
        made[:] = await connect(*arguments, **options)
        return made

    monkeypatch.setattr(asyncio.BaseEventLoop, "create_connection", create_connection)

    async def story() -> None:
        async with aio.connect(server.url) as client:
            await client.set("k", "v")
            transport, protocol = made
            transport.pause_reading()
            waiting = asyncio.create_task(client.get("k"))
            await asyncio.sleep(0)
            reads = transport.get_extra_info("socket")
            assert select.select([reads], [], [], 10)[0]
            protocol.buffer_updated(os.readv(reads.fileno(), [protocol.get_buffer(-1)]))
            transport.resume_reading()
            assert await asyncio.wait_for(waiting, 10) == b"v"

    asyncio.run(story())


def test_what_comes_of_a_callback_that_fails(play: Callable[[Story], Any]) -> None:
    async def story(client: aio.Client) -> None:
        told: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, it: told.append(it))
        called = []
        reply = client.ping()
        reply.add_done_callback(lambda _: 1 / 0)
        reply.add_done_callback(called.append)
        reply.add_done_callback(print)
        assert reply.remove_done_callback(print) == 1
        with pytest.raises(asyncio.InvalidStateError):
            reply.result()
        assert await reply == b"PONG"
        assert (called, [type(it["exception"]) for it in told]) == ([reply], [ZeroDivisionError])
        # Late ones are called too.
        late = asyncio.Event()
        reply.add_done_callback(lambda _: late.set())
        await late.wait()
        assert not reply.cancel()

    play(story)


def test_a_cancelled_pop_takes_nothing(play: Callable[[Story], Any]) -> None:
    async def story(client: aio.Client) -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.blpop("jobs", timeout=0), 0.05)
        while b"blocked_clients:0" not in await client.info("clients"):
            pass
        await client.rpush("jobs", "a")
        assert await client.blpop("jobs", timeout=1) == [b"jobs", b"a"]

    play(story)


def test_a_write_that_was_cancelled_while_held_is_not_executed(server: Server) -> None:
    async def story() -> None:
        # Nobody listens there until the server starts.
        server = Server()
        server.stop()
        async with aio.connect(server.url) as client:
            gone = [client.incr("n") for _ in range(10)]
            await asyncio.sleep(0)
            for call in gone:
                call.cancel()
            kept = client.incr("n")
            again = await asyncio.to_thread(Server, "--port", str(server.port))
            try:
                assert await kept == 1
            finally:
                again.stop()

    asyncio.run(story())


def test_a_closed_client_says_so(play: Callable[[Story], Any], server: Server) -> None:
    async def story(_: aio.Client) -> None:
        client = aio.connect(server.url)
        await client.ping()
        waiting = client.blpop("nothing", timeout=0)
        await asyncio.sleep(0)
        await client.close()
        with pytest.raises(steadis.Error):
            await waiting
        with pytest.raises(steadis.ClosedError):
            await client.get("k")
        assert client.closed

    play(story)
