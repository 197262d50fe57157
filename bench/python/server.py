"""A redis-server of the bench's own, on loopback and a free port."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def server() -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    line = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    process = subprocess.Popen(line, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        for said in process.stdout:
            if "Ready to accept connections" in said:
                break
        yield port
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()
