# frozen_string_literal: true

# Many commands in one go, a transaction, and a change of a value that nobody else may change meanwhile.

require "steadis"

Steadis.connect do |redis|
  replies = redis.pipelined do |pipeline|
    pipeline.set("a", 1)
    pipeline.incr("a")
    pipeline.get("a")
  end
  p replies

  p(redis.multi { |transaction| transaction.incr("a").incr("b") })

  redis.watch("a") { |view, transaction| transaction.set("a", view.get("a").to_i * 2) }
  puts redis.get("a")
end
