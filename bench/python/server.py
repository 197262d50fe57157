"""A redis-server of the bench's own, on loopback and a free port."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Server:
    port: int
    pid: int

    def share_processors(self, callers: int) -> None:
        """One caller and the server on one processor, many on all: see docs/decisions.

        Threads that a client has started are left where they are, so that they disturb no other.
        """
        every = range(os.cpu_count() or 1)
        for process in (self.pid, 0):
            os.sched_setaffinity(process, every[-1:] if callers == 1 else every)


@contextmanager
def server() -> Iterator[Server]:
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
        yield Server(port, process.pid)
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()
