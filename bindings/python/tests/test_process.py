"""Signals, forks, the end of the process: what goes on around a call."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.request import urlopen

import pytest

import steadis
from conftest import CHILD, TREE, Monitor, Server, run


def start(code: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-X", "dev", "-c", code, *arguments],
        env={**os.environ, **CHILD},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


INTERRUPTED = """
import sys, steadis
client = steadis.connect(sys.argv[1])
try:
    if sys.argv[2] == "blocked":
        client.blpop("nothing", timeout=0)
    client.incr("n")
except KeyboardInterrupt:
    print("interrupted", sys.argv[2] == "blocked" and client.ping())
"""


def interrupted(program: subprocess.Popen[str]) -> str:
    """What it prints about Ctrl-C."""
    program.send_signal(signal.SIGINT)
    out, errors = program.communicate(timeout=30)
    assert (errors, program.returncode) == ("", 0)
    return out


def test_ctrl_c_ends_a_call_that_blocks(server: Server) -> None:
    with Monitor(server) as monitor:
        program = start(INTERRUPTED, server.url, "blocked")
        monitor.wait_for("BLPOP", "nothing")
    assert interrupted(program) == "interrupted b'PONG'\n"


def test_ctrl_c_ends_a_call_that_is_held() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        program = start(INTERRUPTED, f"redis://127.0.0.1:{silent.getsockname()[1]}", "held")
        # The first call connects; nobody answers.
        with silent.accept()[0]:
            assert interrupted(program) == "interrupted False\n"


def test_a_signal_handler_runs_and_the_wait_goes_on(server: Server) -> None:
    code = """
import os, signal, sys, threading, steadis
client = steadis.connect(sys.argv[1])
client.delete("later")
heard = []
def handler(*_):
    heard.append(client.rpush("later", "from the handler"))
signal.signal(signal.SIGUSR1, handler)
client.ping()
threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGUSR1)).start()
print(client.blpop("later", timeout=0), heard)
"""
    assert run(code, server.url) == "[b'later', b'from the handler'] [1]\n"


FORK = """
import os, sys, steadis
client = steadis.connect(sys.argv[1])
key = f"fork:{os.getpid()}"
used_before = sys.argv[2] == "used"
if used_before:
    client.set(key, 0)
else:
    del client
    client = steadis.connect(sys.argv[1])
children = []
for _ in range(5):
    child = os.fork()
    if child == 0:
        for _ in range(100):
            client.incr(key)
        os._exit(0)
    children.append(child)
for _ in range(100):
    client.incr(key)
assert all(os.waitpid(child, 0)[1] == 0 for child in children)
print(client.getdel(key))
"""


@pytest.mark.parametrize("used", ["used", "unused"])
def test_a_forked_child_goes_on_with_its_client(server: Server, used: str) -> None:
    assert run(FORK, server.url, used) == "b'600'\n"


def test_a_child_forked_in_the_middle_of_calls_has_threads_of_its_own(server: Server) -> None:
    code = """
import os, sys, threading, steadis
client = steadis.connect(sys.argv[1])
over = threading.Event()

def until(ended):
    while not ended():
        client.incr("all")

def together(count, target, *args):
    threads = [threading.Thread(target=target, args=args) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads

def some_calls():
    for _ in range(20):
        client.incr("children's")

client.delete("children's")
busy = together(32, until, over.is_set)
for _ in range(40):
    child = os.fork()
    if child == 0:
        for thread in together(8, some_calls):
            thread.join()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
over.set()
for thread in busy:
    thread.join()
print(client.getdel("children's"))
"""
    assert run(code, server.url) == f"b'{40 * 8 * 20}'\n"


def test_multiprocessing(server: Server) -> None:
    code = """
import multiprocessing, sys, steadis
client = steadis.connect(sys.argv[1])
client.set("m", 0)
def work(_):
    return client.incr("m")
with multiprocessing.get_context("fork").Pool(4) as pool:
    assert sorted(pool.map(work, range(200))) == list(range(1, 201))
print(client.get("m"))
"""
    assert run(code, server.url) == "b'200'\n"


def test_asyncio_in_a_forked_child(server: Server) -> None:
    code = """
import asyncio, os, sys, steadis.asyncio
client = steadis.asyncio.connect(sys.argv[1])
async def ping():
    return await client.ping()
loop = asyncio.new_event_loop()
assert loop.run_until_complete(ping()) == b"PONG"
child = os.fork()
if child == 0:
    assert asyncio.new_event_loop().run_until_complete(ping()) == b"PONG"
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
assert loop.run_until_complete(ping()) == b"PONG"
loop.run_until_complete(client.close())
loop.close()
print("well")
"""
    assert run(code, server.url) == "well\n"


def test_listeners_hear_in_the_child_too() -> None:
    code = """
import os, socket, sys, threading, steadis
client = steadis.connect(sys.argv[1])
client.on("hold", lambda event: heard.set())
def hear():
    global heard
    heard = threading.Event()
    client.ping()
    client.call("REPLICAOF", "127.0.0.1", 1)
    try:
        client.options(timeout=0.5).incr("n")
    except steadis.Error as error:
        assert error.retryable, error
    assert heard.wait(20), "nothing was heard"
    with socket.create_connection(("127.0.0.1", int(sys.argv[1].rpartition(":")[2]))) as server:
        server.sendall(b"REPLICAOF NO ONE\\r\\n")
        assert server.recv(99).startswith(b"+OK")
hear()
child = os.fork()
if child == 0:
    hear()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
client.close()
print("well")
"""
    server = Server()
    assert run(code, server.url) == "well\n"
    server.stop()


def test_the_end_of_a_program_is_clean(server: Server) -> None:
    code = """
import sys, threading, steadis
client = steadis.connect(sys.argv[1])
client.on("warning", print)
client.ping()
threading.Thread(target=client.blpop, args=("nothing",), kwargs={"timeout": 0}, daemon=True).start()
subscription = client.subscribe("c").ready()
threading.Thread(target=next, args=(subscription,), daemon=True).start()
print("well")
"""
    assert run(code, server.url) == "well\n"


def test_sub_interpreters_get_a_clear_error() -> None:
    code = """
import sys, steadis
if sys.version_info >= (3, 13):
    import _interpreters as interpreters
else:
    import _xxsubinterpreters as interpreters
try:
    # Newer ones return what was raised.
    print(interpreters.run_string(interpreters.create(), "import steadis"))
except Exception as error:
    print(error)
assert steadis.connect("redis://h").ready
"""
    ours, pythons = "steadis works in one interpreter of a process", "not support loading in sub"
    said = run(code)
    assert ours in said or pythons in said


def test_import_is_quick_and_needs_nothing() -> None:
    """Neither the client for loops nor redis-py comes along, and no thread is started."""
    code = """
import sys, threading, steadis
steadis.connect("redis://localhost:1")
print([name for name in ("asyncio", "redis", "ssl", "socket") if name in sys.modules])
print(threading.active_count(), len(__import__("os").listdir("/proc/self/task")))
"""
    assert run(code) == "[]\n1 1\n"


def test_logging_is_quiet_unless_asked(server: Server) -> None:
    code = """
import logging, sys, steadis
if sys.argv[2] == "loud":
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(name)s %(message)s")
steadis.connect(sys.argv[1], maxRetriesPerRequest=3).close()
"""
    assert run(code, server.url, "quiet") == ""
    assert "steadis " in run(code, server.url, "loud")


def test_gunicorn_with_preload(server: Server, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(
        f"""
import os, steadis
client = steadis.connect({server.url!r})
client.set("preloaded", os.getpid())
def application(environ, start):
    # Two requests that wait for each other: only two workers can answer them.
    mine = environ["PATH_INFO"]
    client.lpush({{"/a": "/b", "/b": "/a"}}[mine], "go on")
    client.blpop(mine, timeout=0)
    start("200 OK", [])
    return [b"%d" % os.getpid()]
"""
    )
    path = os.pathsep.join([str(tmp_path), str(TREE / "bindings" / "python")])
    with socket.create_server(("127.0.0.1", 0)) as listens:
        port = listens.getsockname()[1]
        line = [sys.executable, "-m", "gunicorn", "--preload", "--workers", "3"]
        gunicorn = subprocess.Popen(
            [*line, "--bind", f"fd://{listens.fileno()}", "app"],
            env={**os.environ, "PYTHONPATH": path},
            cwd=tmp_path,
            stderr=subprocess.PIPE,
            text=True,
            pass_fds=[listens.fileno()],
        )

        def ask(path: str) -> bytes:
            with urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
                body: bytes = answer.read()
                return body

        try:
            with ThreadPoolExecutor() as pool:
                served = set(pool.map(ask, ["/a", "/b"]))
            with steadis.connect(server.url) as client:
                assert client.get("preloaded") not in served
            assert len(served) == 2
        finally:
            gunicorn.terminate()
            _, errors = gunicorn.communicate(timeout=30)
        assert "Traceback" not in errors
