# frozen_string_literal: true

# Connects to what REDIS_SENTINEL_LIST and REDIS_SENTINEL_MASTER (or REDIS_URL) describe.

require "steadis"

Steadis.connect do |redis|
  redis.set("cart:7", "3 items", ex: 900)
  puts redis.get("cart:7")
  puts "served by #{redis.topology.primary}"
end
