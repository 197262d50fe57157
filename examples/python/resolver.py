"""Only who is primary: for programs that keep redis-py."""

import steadis
import steadis.redis_py

with steadis.Resolver() as resolver:
    resolver.on_change(lambda primary: print("now", primary))
    primary = resolver.primary()
    print(f"redis://{primary.host}:{primary.port}, epoch {primary.epoch}")

r = steadis.redis_py.Redis(decode_responses=True)
r.set("kept", "redis-py")
print(r.get("kept"))
