"""Many commands in one go, some of them all or none."""

import steadis

with steadis.connect(decode_responses=True) as r:
    with r.pipeline() as p:
        for n in range(3):
            p.set(f"user:{n}", f"name {n}", ex=60)
        p.mget([f"user:{n}" for n in range(3)])
        print(p.execute()[-1])

    with r.multi() as t:
        t.hset("account:1", mapping={"balance": 90}).hset("account:2", mapping={"balance": 110})
        t.execute()

    def move(view: steadis.View[str], tx: steadis.Queue) -> None:
        balance = int(view.hget("account:1", "balance") or 0)
        tx.hset("account:1", mapping={"balance": balance - 10}).hincrby("account:2", "balance", 10)

    r.watch(["account:1"], move)
    print(r.hgetall("account:1"), r.hgetall("account:2"))
