"""Servers for tests: on loopback, on free ports, ended with the tests."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvloop

import steadis
import steadis.asyncio

TREE = Path(__file__).resolve().parents[3]
#: Fresh interpreters find the package where this one has it.
CHILD = {"PYTHONPATH": str(TREE / "bindings" / "python")}

# What a shell runs in the background ignores Ctrl-C, and so would the interpreters of the tests.
signal.signal(signal.SIGINT, signal.default_int_handler)

Story = Callable[[steadis.asyncio.Client], Awaitable[Any]]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Server:
    """A redis-server of a test's own."""

    def __init__(self, *options: str) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}"
        line = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        self.process = subprocess.Popen([*line, *options], stdout=subprocess.PIPE, text=True)
        for said in self.process.stdout or ():
            if "Ready to accept connections" in said:
                return
        raise RuntimeError("redis-server did not start")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()


class Monitor:
    """Hears what a server executes, which is how a test knows that a command waits there."""

    def __init__(self, server: Server) -> None:
        self._socket = socket.create_connection(("127.0.0.1", server.port), timeout=30)
        self._socket.sendall(b"MONITOR\r\n")
        self._lines = self._socket.makefile("rb")
        assert self._lines.readline() == b"+OK\r\n"

    def wait_for(self, *words: str) -> None:
        """Waits until the server has begun to execute this."""
        said = " ".join(f'"{word}"' for word in words).lower().encode()
        assert any(said in line.lower() for line in self._lines), "the server has gone"

    def __enter__(self) -> Monitor:
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.close()
        self._socket.close()


class Lab:
    """A primary, two replicas and three Sentinels; verbs do things to them."""

    def __init__(self, *options: str) -> None:
        program = TREE / "target" / "debug" / "steadis"
        # With Sentinel's usual second one failover in ten is followed by another at once.
        line = [str(program), "lab", "serve", "--down-after", "1500ms", *options]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(line, stdin=pipe, stdout=pipe, text=True)
        ready = self._line()
        self.env: dict[str, str] = ready["environment"]
        # Without a comma, for frameworks that split there.
        first, *others = self.env["REDIS_SENTINEL_LIST"].split(",")
        nodes = "".join(f"&node={other}" for other in others)
        name = self.env["REDIS_SENTINEL_MASTER"]
        self.url = f"redis-sentinel://{first}?sentinelServiceName={name}{nodes}"

    def _line(self) -> dict[str, Any]:
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, "the lab has ended"
        said: dict[str, Any] = json.loads(line)
        return said

    def do(self, verb: str, **arguments: Any) -> Any:
        """What the lab answers; events on the way are left out."""
        assert self.process.stdin
        self.process.stdin.write(json.dumps({"id": 1, "verb": verb, **arguments}) + "\n")
        self.process.stdin.flush()
        while "id" not in (said := self._line()):
            pass
        assert "error" not in said, said
        return said["result"]

    def wait(self, until: Any) -> Any:
        return self.do("wait", until=until, timeout_ms=40_000)

    def stop(self) -> None:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """A lab, which the environment describes."""
    lab = Lab()
    for name in [name for name in os.environ if name.startswith("REDIS_")]:
        monkeypatch.delenv(name)
    for name, value in lab.env.items():
        monkeypatch.setenv(name, value)
    yield lab
    lab.stop()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.stop()


@pytest.fixture(params=[asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def play(request: pytest.FixtureRequest, server: Server) -> Iterator[Callable[[Story], Any]]:
    """Plays a story with a client, in a loop of each kind."""

    async def with_client(story: Story) -> Any:
        async with steadis.asyncio.connect(server.url) as client:
            await client.call("FLUSHALL")
            return await story(client)

    yield lambda story: request.param(with_client(story))


@pytest.fixture
def client(server: Server) -> Iterator[steadis.Client]:
    with steadis.connect(server.url) as client:
        client.call("FLUSHALL")
        yield client


def run(code: str, *arguments: str, timeout: float = 60, **options: Any) -> str:
    """Runs a program of its own; what it prints."""
    # From 3.12 on Python warns of any fork beside a thread, even one that is prepared for it.
    forks = "ignore:This process:DeprecationWarning"
    ended = subprocess.run(
        [sys.executable, "-X", "dev", "-W", forks, "-c", code, *arguments],
        env={**os.environ, **CHILD},
        capture_output=True,
        text=True,
        timeout=timeout,
        **options,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == "", ended.stderr
    return ended.stdout


def load(folder: str) -> Iterator[Any]:
    """The vectors of a folder."""
    for path in sorted((TREE / "tests" / "vectors" / folder).glob("*.json")):
        for case in json.loads(path.read_text()):
            yield path.stem, case
