"""Five lines: the environment says where Redis is."""

import steadis

with steadis.connect() as r:
    r.set("cart:7", "3 items", ex=900)
    print(r.get("cart:7"))
