"""Counts for as long as you like. Kill the primary meanwhile: the count goes on."""

import sys
import time

import steadis

rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
with steadis.connect() as r:
    r.on("failover", lambda event: print(event))
    r.delete("count")
    for _ in range(rounds):
        try:
            print(r.incr("count"), end="\r", flush=True)
        except steadis.MaybeExecutedError as error:
            # The primary died with this one in flight. Ask, if it matters.
            print(f"\n{error}; the count is {r.get('count')!r}")
        time.sleep(0.01)
    print()
