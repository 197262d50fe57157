"""Frameworks that know redis-py alone, and one that does not, through real failovers."""

from __future__ import annotations

import gc
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

import steadis
import steadis.redis_py
from conftest import CHILD, Lab


class Changed(threading.Event):
    """Is set when another node is primary than now."""

    def __init__(self, resolver: steadis.Resolver) -> None:
        super().__init__()
        self._old = resolver.primary()
        resolver.on_change(self._compare)

    def _compare(self, now: steadis.Primary | None) -> None:
        if now is not None and now[:2] != self._old[:2]:
            self.set()


def through_failovers(lab: Lab, step: Callable[[], Any]) -> list[Exception]:
    """Repeats a step while the primary is replaced, then killed; what went wrong."""
    errors: list[Exception] = []
    stop = threading.Event()
    steps, stepped = 0, threading.Condition()

    def repeat() -> None:
        nonlocal steps
        while not stop.is_set():
            try:
                step()
            except Exception as error:
                errors.append(error)
            with stepped:
                steps += 1
                stepped.notify_all()

    def some_steps() -> None:
        with stepped:
            enough = steps + 10
            assert stepped.wait_for(lambda: steps > enough, timeout=60), "it has come to a halt"

    worker = threading.Thread(target=repeat)
    worker.start()
    try:
        for verb in ("failover", "kill"):
            some_steps()
            with steadis.Resolver(lab.url) as resolver:
                changed = Changed(resolver)
                lab.do(verb, **({"name": "primary"} if verb == "kill" else {}))
                assert changed.wait(40)
            if verb == "failover":
                lab.wait("agreed")
        some_steps()
    finally:
        stop.set()
        worker.join()
    return errors


def only_honest(errors: list[Exception]) -> bool:
    return (
        all(isinstance(error, steadis.MaybeExecutedError) for error in errors) and len(errors) < 5
    )


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts programs, in the test's folder with their modules, that end with the test."""
    started = []

    def start(*line: str, keep: int = 2, **modules: str) -> subprocess.Popen[bytes]:
        for name, code in modules.items():
            (tmp_path / f"{name}.py").write_text(code)
        path = os.pathsep.join([str(tmp_path), CHILD["PYTHONPATH"]])
        environment = {**os.environ, "PYTHONPATH": path}
        log = (tmp_path / "log").open("wb")
        process = subprocess.Popen(
            [sys.executable, *line],
            cwd=tmp_path,
            env=environment,
            stdout=log,
            stderr=log,
            pass_fds=[keep],
        )
        started.append((process, log))
        return process

    yield start
    for process, log in started:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()


@pytest.mark.parametrize("cache", ["built_in", "django_redis"])
def test_django_caches(lab: Lab, cache: str) -> None:
    pool = "steadis.redis_py.ConnectionPool"
    options = {"built_in": {"pool_class": pool}, "django_redis": {"CONNECTION_POOL_CLASS": pool}}
    backends = {
        "built_in": "django.core.cache.backends.redis.RedisCache",
        "django_redis": "django_redis.cache.RedisCache",
    }
    from django.conf import settings
    from django.utils.module_loading import import_string

    if not settings.configured:
        settings.configure()
    parameters = {"OPTIONS": options[cache]}
    django_cache = import_string(backends[cache])(lab.url, parameters)
    numbers = iter(range(10**9))

    def step() -> None:
        number = next(numbers)
        django_cache.set(f"k{number}", {"n": number}, timeout=60)
        # What a crash has lost is no error.
        assert django_cache.get(f"k{number}") in ({"n": number}, None)

    assert only_honest(through_failovers(lab, step))


def test_flask_session(lab: Lab) -> None:
    from flask import Flask, session
    from flask_session import Session

    app = Flask(__name__)
    app.config.update(SESSION_TYPE="redis", SESSION_REDIS=steadis.redis_py.Redis(lab.url))
    Session(app)

    @app.get("/")
    def visit() -> dict[str, int]:
        session["visits"] = session.get("visits", 0) + 1
        return {"visits": session["visits"]}

    app.testing = True
    browser = app.test_client()

    def step() -> None:
        answer = browser.get("/")
        assert answer.status_code == 200

    assert only_honest(through_failovers(lab, step))


def test_rq_worker(lab: Lab, program: Callable[..., Any]) -> None:
    code = f"""
import steadis.redis_py
from rq import Queue, Worker
connection = steadis.redis_py.Redis({lab.url!r} + "&retry_writes=always")
def double(number):
    return number * 2
def work():
    Worker([Queue(connection=connection)], connection=connection).work()
"""
    program("-c", "import jobs; jobs.work()", jobs=code)
    from rq import Queue

    connection = steadis.redis_py.Redis(lab.url)
    queue = Queue(connection=connection)
    lost: list[Any] = []

    def step() -> None:
        job = queue.enqueue("jobs.double", 21, result_ttl=600)
        end = time.monotonic() + 8
        while not job.is_finished:
            if time.monotonic() > end:
                lost.append(job)
                return
        assert job.return_value() == 42

    assert only_honest(through_failovers(lab, step))
    # The crash can take one with it: Redis acknowledges before it replicates.
    assert len(lost) <= 1


def test_celery_worker(
    lab: Lab, program: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = f"""
from celery import Celery
url = {lab.url!r}
backend = "steadis.redis_py.celery:Backend+" + url
app = Celery("tasks", broker=url, backend=backend)
app.conf.update(broker_transport="steadis.redis_py.kombu:Transport", task_acks_late=True,
                worker_cancel_long_running_tasks_on_connection_loss=True)
@app.task
def double(number):
    return number * 2
"""
    program("-m", "celery", "-A", "tasks", "worker", "--pool", "prefork", "-c", "2", tasks=code)
    monkeypatch.syspath_prepend(tmp_path)
    import celery.exceptions  # type: ignore[import-untyped]
    import tasks  # type: ignore[import-not-found]

    lost: list[Any] = []

    def step() -> None:
        task = tasks.double.delay(4)
        try:
            assert task.get(timeout=15) == 8
        except celery.exceptions.TimeoutError:
            lost.append(task)

    assert only_honest(through_failovers(lab, step))
    # The crash can take one with it: Redis acknowledges before it replicates.
    assert len(lost) <= 1
    # A result says that it is forgotten: now, while there is somebody to hear it.
    lost.clear()
    gc.collect()


def test_fastapi_under_uvicorn(lab: Lab, program: Callable[..., Any]) -> None:
    code = f"""
import steadis, steadis.asyncio
from fastapi import FastAPI
from fastapi.responses import JSONResponse
client = steadis.asyncio.connect({lab.url!r})
app = FastAPI()
@app.exception_handler(steadis.Error)
async def failed(request, error):
    return JSONResponse({{"kind": error.kind}}, status_code=503)
@app.get("/{{key}}")
async def count(key: str):
    return await client.incr(key)
"""
    # Requests wait here until uvicorn is up.
    listens = socket.create_server(("127.0.0.1", 0), backlog=16)
    port, place = listens.getsockname()[1], listens.fileno()
    program("-m", "uvicorn", "app:app", "--fd", str(place), keep=place, app=code)

    def ask(key: str) -> None:
        try:
            with urlopen(f"http://127.0.0.1:{port}/{key}", timeout=40) as answer:
                int(answer.read())
        except HTTPError as error:
            kind = error.read().decode()
            assert "MaybeExecuted" in kind, kind
            raise steadis.MaybeExecutedError(kind) from error

    def step() -> None:
        errors: list[Exception] = []

        def one(key: str) -> None:
            try:
                ask(key)
            except Exception as error:
                errors.append(error)

        threads = [threading.Thread(target=one, args=(f"k{n}",)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]

    with listens:
        assert only_honest(through_failovers(lab, step))
