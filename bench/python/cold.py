"""A fresh process: import, first and next connection, memory. Prints one JSON line."""

from __future__ import annotations

import json
import resource
import sys
import time


def memory() -> float:
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize() / 1024


def main(kind: str, port: int) -> None:
    before, began = memory(), time.perf_counter()
    if kind == "steadis":
        import steadis

        def make() -> object:
            client = steadis.connect(f"redis://127.0.0.1:{port}")
            client.get("k")
            return client

    elif kind == "redis-py":
        import redis

        def make() -> object:
            client = redis.Redis(port=port)
            client.get("k")
            return client

    else:
        import glide_sync as glide

        def make() -> object:
            address = [glide.NodeAddress("127.0.0.1", port)]
            client = glide.GlideClient.create(glide.GlideClientConfiguration(address))
            client.get("k")
            return client

    figures = {"import ms": (time.perf_counter() - began) * 1e3}
    began = time.perf_counter()
    clients = [make()]
    figures["first ms"] = (time.perf_counter() - began) * 1e3
    figures["base MiB"] = (memory() - before) / 1024
    before, began = memory(), time.perf_counter()
    clients += [make() for _ in range(100)]
    figures["next ms"] = (time.perf_counter() - began) * 10
    figures["KiB each"] = (memory() - before) / 100
    print(json.dumps(figures), flush=True)
    # Clients are let go by the end of the process, which is no part of this.
    sys.stdout.flush()


if __name__ == "__main__":
    path = __file__.rsplit("/bench/", 1)[0] + "/bindings/python"
    sys.path.insert(0, path)
    main(sys.argv[1], int(sys.argv[2]))
