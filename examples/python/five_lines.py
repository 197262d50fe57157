import steadis

client = steadis.connect()  # REDIS_SENTINEL_LIST, REDIS_SENTINEL_MASTER from the environment
client.set("cart:7", "3 items", ex=900)
print(client.get("cart:7"))
