"""Messages survive a failover, and a gap is told."""

import steadis

with steadis.connect(decode_responses=True) as r, r.subscribe("news", patterns=["user.*"]) as s:
    s.ready()
    r.publish("news", "hello")
    r.publish("user.7", "goodbye")
    for heard in s:
        if isinstance(heard, steadis.Gap):
            print(f"something may have been missed for {heard.until - heard.since:.1f} s")
        else:
            print(heard.channel, heard.data)
            if heard.data == "goodbye":
                break
