"""The same client for asyncio: many tasks, one connection."""

import asyncio

import steadis.asyncio


async def main() -> None:
    async with steadis.asyncio.connect(decode_responses=True) as r:
        await r.delete("visits")
        await asyncio.gather(*(r.incr("visits") for _ in range(1000)))
        print(await r.get("visits"))
        async with r.lock("nightly", timeout=30):
            await r.set("report", "done", ex=3600)
        print([key async for key in r.scan_iter(match="report*")])


asyncio.run(main())
