"""The client for threads, at home in the language."""

from __future__ import annotations

import gc
import pickle
import sys
import threading
import weakref

import pytest

import steadis
from conftest import Monitor, Server, run


def test_values_are_bytes_and_text_on_request(client: steadis.Client) -> None:
    assert client.set("k", "ü", ex=60) == b"OK"
    assert client.get("k") == "ü".encode()
    text = client.options(decode_responses=True)
    assert text.get("k") == "ü"
    assert client.hset("h", mapping={"a": 1, b"b": 2.5}) == 2
    assert text.hgetall("h") == {"a": "1", "b": "2.5"}
    assert client.set("k", 1, nx=True) is None
    assert client.smembers("none") == set()
    client.set("raw", b"\xff\x00")
    assert client.get("raw") == b"\xff\x00"
    with pytest.raises(UnicodeDecodeError):
        text.get("raw")


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (bytearray(b"a"), b"a"),
        (memoryview(b"abc")[1:], b"bc"),
        (10**30, b"1" + b"0" * 30),
        (-1, b"-1"),
        (0.1, b"0.1"),
        (float("inf"), b"inf"),
        ("", b""),
    ],
)
def test_what_can_be_sent(client: steadis.Client, value: object, stored: bytes) -> None:
    client.set("k", value)
    assert client.get("k") == stored


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (lambda r: r.get(None), "key"),
        (lambda r: r.set("k", True), "value"),
        (lambda r: r.set("k", object()), "argument 2 holds a value of type object"),
        (lambda r: r.set("k", 1 + 2j), "complex"),
        (lambda r: r.get("\ud800"), "half a surrogate pair"),
        (lambda r: r.set("k", "v", exx=1), '"ex"'),
        (lambda r: r.get(), "key"),
        (lambda r: r.get("a", "b"), "GET key"),
        (lambda r: r.call("GET", None), "argument 2"),
        (lambda r: r.call("GET", ["a"]), "argument 2"),
        (lambda r: r.options(timeout=-1), "timeout"),
        (lambda r: r.options(timeout="soon"), "timeout"),
        (lambda r: r.options(retries=3), "retries"),
        (lambda r: r.options(decode_responses=3), "decode_responses"),
        (lambda r: r.ready(timeout=-1), "timeout"),
        (lambda r: r.call("SUBSCRIBE", "c"), "subscribe"),
        (lambda r: r.stats(format="xml"), "prometheus"),
        (lambda r: r.on("fail", print), "failover"),
        (lambda r: r.lock("l", timeout=-1), "timeout"),
        (lambda r: r.script(7), "int"),
    ],
)
def test_wrong_calls_name_what_is_wrong(client: steadis.Client, call, names: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(steadis.UsageError) as raised:
        call(client)
    assert names in str(raised.value)


def test_a_list_inside_itself_is_refused(client: steadis.Client) -> None:
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(steadis.UsageError, match="inside one another"):
        client.mget(endless)


def test_wrong_settings_are_refused_at_once() -> None:
    with pytest.raises(steadis.ConfigError, match="command_timeout"):
        steadis.connect("redis://h", comand_timeout=3)
    with pytest.raises(steadis.ConfigError):
        steadis.connect("redis://h", command_timeout=-3)
    with pytest.raises(steadis.UsageError, match="url"):
        steadis.connect(7)  # type: ignore[arg-type]
    with pytest.raises(ValueError):
        steadis.connect("redis://h:port")


def test_passwords_are_shown_nowhere() -> None:
    client = steadis.connect("redis://user:tr0ub4dor@localhost:1")
    assert "tr0ub4dor" not in f"{client!r} {client.explain()} {list(client.explain())}"


def test_a_function_can_supply_the_password() -> None:
    server = Server("--requirepass", "secret")
    try:
        with steadis.connect(server.url, password=lambda: "secret") as client:
            assert client.ping() == b"PONG"
        with steadis.connect(server.url, password=lambda: ("default", "secret")) as client:
            assert client.ping() == b"PONG"
        failing, wrong = (steadis.connect(server.url, password=it) for it in (lambda: 1 / 0, "x"))
        with failing, pytest.raises(steadis.Error, match="ZeroDivisionError"):
            failing.options(timeout=2).ping()
        with wrong, pytest.raises(steadis.AuthError):
            wrong.ping()
    finally:
        server.stop()


def test_pipelines_and_transactions(client: steadis.Client) -> None:
    with client.pipeline() as pipeline:
        assert pipeline.incr("n").get("n").call("ECHO", "x") is pipeline
        assert len(pipeline) == 3
        assert pipeline.execute() == [1, b"1", b"x"]
        assert len(pipeline) == 0
    with client.multi() as transaction:
        transaction.incr("n")
        transaction.execute_command("INCR", "n")
        assert transaction.execute() == [2, 3]
    pipeline = client.pipeline().set("s", "x").incr("s").get("s")
    outcomes = pipeline.execute(raise_on_error=False)
    assert isinstance(outcomes[1], steadis.ServerError)
    assert (outcomes[0], outcomes[2]) == (b"OK", b"x")
    with pytest.raises(steadis.ServerError):
        client.pipeline().incr("s").execute()


def test_watch_begins_again_until_nobody_interferes(client: steadis.Client) -> None:
    client.set("n", 1)
    attempts = []

    def change(view: steadis.View, tx: steadis.Pipeline) -> None:
        value = int(view.get("n"))
        attempts.append(value)
        if len(attempts) == 1:
            client.set("n", 10)
        tx.set("n", value + 1)

    assert client.watch(["n"], change) == [b"OK"]
    assert attempts == [1, 10]
    assert client.get("n") == b"11"

    def fail(view: steadis.View, tx: steadis.Pipeline) -> None:
        raise KeyError(view.get("n"))

    with pytest.raises(KeyError):
        client.watch("n", fail)


def test_scripts(client: steadis.Client) -> None:
    script = client.register_script("return {KEYS[1], ARGV[1]}")
    assert script(keys=["k"], args=[3]) == [b"k", b"3"]
    client.call("SCRIPT", "FLUSH")
    assert script(keys=["k"], args=["x"]) == [b"k", b"x"]
    pipeline = client.pipeline()
    script(keys=["k"], args=[1], client=pipeline)
    assert pipeline.execute() == [[b"k", b"1"]]


def test_iteration_over_everything(client: steadis.Client) -> None:
    client.mset({f"k{n}": n for n in range(50)})
    client.hset("h", mapping={f"f{n}": n for n in range(5)})
    client.sadd("s", *range(5))
    client.zadd("z", {"a": 1, "b": 2})
    assert len(set(client.scan_iter(match="k*", count=7))) == 50
    assert set(client.scan_iter(type="zset")) == {b"z"}
    assert dict(client.hscan_iter("h"))[b"f3"] == b"3"
    assert set(client.sscan_iter("s")) == {b"0", b"1", b"2", b"3", b"4"}
    assert sorted(client.zscan_iter("z")) == [[b"a", 1.0], [b"b", 2.0]]


def test_a_lock_belongs_to_its_token(client: steadis.Client) -> None:
    with client.lock("l", timeout=10) as held:
        assert held.owned() and held.locked()
        other = client.lock("l", blocking=False)
        assert not other.acquire()
        with pytest.raises(steadis.LockError):
            other.release()
        held.extend(60)
        assert client.pttl("l") > 50_000
    assert client.exists("l") == 0
    lost = client.lock("l", timeout=10)
    assert lost.acquire()
    client.delete("l")
    with pytest.raises(steadis.LockError, match="run out"):
        lost.release()
    client.set("l", "somebody")
    with pytest.raises(steadis.LockError, match="in time"), client.lock("l", blocking_timeout=0.05):
        pass


def test_a_lock_is_handed_over(client: steadis.Client) -> None:
    first, second = client.lock("l"), client.lock("l", sleep=0.01)
    assert first.acquire()
    taken = threading.Thread(target=second.acquire)
    taken.start()
    first.release()
    taken.join()
    assert second.owned()


def test_messages(client: steadis.Client) -> None:
    with client.subscribe("news", patterns=["user.*"]).ready() as subscription:
        client.publish("news", "a")
        client.publish("user.7", b"\xff")
        assert next(subscription) == steadis.Message(b"news", None, b"a")
        assert next(subscription) == (b"user.7", b"user.*", b"\xff")
        assert subscription.get_message(timeout=0.01) is None
        subscription.unsubscribe("news")
        with pytest.raises(steadis.UsageError):
            subscription.get_message(timeout=-1)
    with pytest.raises(steadis.ClosedError):
        subscription.get_message()


def test_what_a_client_says_of_itself(client: steadis.Client, server: Server) -> None:
    address = f"127.0.0.1:{server.port}"
    client.ready(timeout=5)
    assert address in repr(client)
    assert client.topology().primary == address
    assert client.health() == "ready"
    assert client.health().primary == address
    assert client.stats()["calls"] >= 1
    assert "steadis_calls_total" in client.stats(format="prometheus")
    settings = {setting.name: setting for setting in client.explain()}
    assert settings["port"].value == str(server.port)
    assert settings["command_timeout"].source == "default"
    assert "command_timeout" in str(client.explain())


def test_a_closed_client_says_so(server: Server) -> None:
    client = steadis.connect(server.url)
    client.ping()
    view = client.options(timeout=1)
    client.close()
    client.close()
    assert client.closed
    for late in (client, view):
        with pytest.raises(steadis.ClosedError):
            late.get("k")
    with pytest.raises(steadis.ClosedError):
        client.on("failover", print)
    assert "closed" in repr(client)


def test_closing_ends_a_call_that_waits_and_is_honest_about_it(server: Server) -> None:
    client = steadis.connect(server.url)
    client.ping()
    ended: list[BaseException] = []

    def wait() -> None:
        try:
            client.blpop("nothing", timeout=0)
        except steadis.Error as error:
            ended.append(error)

    waiting = threading.Thread(target=wait)
    with Monitor(server) as monitor:
        waiting.start()
        monitor.wait_for("BLPOP", "nothing")
    client.close()
    waiting.join(10)
    # It may have taken an element.
    assert [error.maybe_executed for error in ended if isinstance(error, steadis.Error)] == [True]


def test_clients_cannot_be_pickled_but_errors_can(client: steadis.Client) -> None:
    with pytest.raises(steadis.UsageError, match="pickled"):
        pickle.dumps(client)
    with pytest.raises(steadis.ServerError) as raised:
        client.set("s", "x")
        client.incr("s")
    again = pickle.loads(pickle.dumps(raised.value))
    assert (str(again), again.command, again.retryable) == (str(raised.value), "INCR", False)
    assert isinstance(again, steadis.ServerError)


def test_help_shows_the_syntax(client: steadis.Client) -> None:
    import pydoc

    text = pydoc.plain(pydoc.render_doc(client.set))
    assert "SET key value [NX|XX" in text
    assert steadis.Client.set.__name__ == "set"
    assert "HGETALL key" in (steadis.Client.hgetall.__doc__ or "")


def test_errors_are_of_the_kinds_that_people_catch() -> None:
    assert issubclass(steadis.UnavailableError, ConnectionError)
    assert issubclass(steadis.TimeoutError, TimeoutError)
    assert issubclass(steadis.ConfigError, ValueError)
    assert not issubclass(steadis.MaybeExecutedError, ConnectionError)
    out = run(
        """
import sys, steadis
from steadis import _errors
assert "redis" not in sys.modules
assert type(_errors.make("Server", "ERR x")) is steadis.ServerError
import redis
error = _errors.make("Unavailable", "x")
assert isinstance(error, redis.ConnectionError) and isinstance(error, steadis.UnavailableError)
assert isinstance(error, ConnectionError)
assert isinstance(_errors.make("Timeout", "x"), redis.TimeoutError)
assert repr(_errors.make("Timeout", "x")) == "TimeoutError('x')"
assert isinstance(_errors.make("Server", "x"), redis.ResponseError)
assert isinstance(_errors.make("MaybeExecuted", "x"), redis.RedisError)
assert not isinstance(_errors.make("MaybeExecuted", "x"), redis.ConnectionError)
import pickle
assert pickle.loads(pickle.dumps(error)).args == ("x",)
print("well")
"""
    )
    assert out == "well\n"


def test_nothing_is_leaked(client: steadis.Client, server: Server) -> None:
    def work() -> None:
        client.set("k", "v", ex=60)
        client.hset("h", mapping={"a": 1, "b": [2][0]})
        client.hgetall("h")
        client.mget(["a", "b"])
        client.pipeline().incr("n").execute()
        for wrong in (None, object(), "\ud800"):
            with pytest.raises(steadis.UsageError):
                client.get(wrong)

    def blocks() -> int:
        gc.collect()
        return sys.getallocatedblocks()

    for _ in range(50):
        work()
    before = blocks()
    for _ in range(500):
        work()
    assert blocks() - before < 100
    for make in (lambda: steadis.connect(server.url), lambda: client.options(timeout=1)):
        gone = weakref.ref(make())
        gc.collect()
        assert gone() is None


def test_many_threads_share_a_client(client: steadis.Client) -> None:
    def work(name: str) -> None:
        for n in range(200):
            client.set(name, f"{name}:{n}")
            seen[name] = seen.get(name, True) and client.get(name) == f"{name}:{n}".encode()

    seen: dict[str, bool] = {}
    threads = [threading.Thread(target=work, args=(f"t{n}",)) for n in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 32 and all(seen.values())


def test_other_threads_go_on_while_one_waits(client: steadis.Client) -> None:
    waiting = threading.Thread(target=client.blpop, args=("later",), kwargs={"timeout": 0})
    waiting.start()
    for _ in range(1000):
        client.get("k")
    client.rpush("later", "x")
    waiting.join(10)
    assert not waiting.is_alive()
