require "steadis"

client = Steadis.connect # REDIS_SENTINEL_LIST, REDIS_SENTINEL_MASTER from the environment
client.set("cart:7", "3 items", ex: 900)
puts client.get("cart:7")
