# frozen_string_literal: true

# Gives redis-client its driver, whichever of the two was loaded first.

require "redis_client"
require "steadis"

RedisClient.register_driver(:steadis) { Steadis::RedisClientConnection }
