# frozen_string_literal: true

# What a user of one thread sees.
class ClientTest < Test
  def test_commands_take_what_redis_rb_takes
    assert_equal "OK", redis.set("k", "v", ex: 60, nx: true)
    assert_nil redis.set("k", "w", nx: true)
    assert_equal "v", redis.get(:k)
    assert_includes 1..60, redis.ttl("k")
    assert_equal "v", redis.set("k", "w", "GET")
    assert redis.exists?("k")
    assert_equal 2, redis.hset("h", "a" => 1, "b" => 2.5)
    assert_equal 1, redis.hset("h", { c: "ü" })
    assert_equal({ "a" => "1", "b" => "2.5", "c" => "ü" }, redis.hgetall("h"))
    assert_equal({ "a" => "1", "x" => nil }, redis.mapped_hmget("h", "a", "x"))
    assert_equal "OK", redis.mapped_mset("x" => 1, "y" => 2)
    assert_equal({ "x" => "1", "y" => "2" }, redis.mapped_mget("x", "y"))
    assert_equal 2, redis.zadd("z", [[1.5, "a"], [2, "b"]])
    assert_equal [["a", 1.5], ["b", 2.0]], redis.zrange("z", 0, -1, withscores: true)
    assert_equal 2, redis.del("x", "y")
  end

  def test_any_command
    assert_equal "OK", redis.call("SET", "k", 1, ex: 10)
    assert_equal %w[1 2], redis.call(:mget, "k", "k").zip(%w[0 1]).map { |a, b| (a.to_i + b.to_i).to_s }
    assert_equal({ "maxmemory" => "0" }, redis.call("CONFIG", "GET", "maxmemory"))
  end

  def test_strings_are_utf8_or_binary_and_frozen_ones_are_fine
    { "käse" => Encoding::UTF_8, "\xff\x00\r\n".b => Encoding::BINARY, "" => Encoding::UTF_8 }.each do |text, encoding|
      redis.set(text.dup.freeze, text.dup.freeze)
      assert_equal [text.b, encoding], [redis.get(text).b, redis.get(text).encoding]
    end
    broken = "broken \xc3".dup.force_encoding("UTF-8")
    redis.set("k", broken)
    assert_equal broken.b, redis.get("k")
    wide = "wide".encode("UTF-16LE")
    redis.set("k", wide)
    assert_equal wide.b, redis.get("k").b
    refute redis.get("k").frozen?
  end

  def test_large_and_odd_numbers
    [2**80, -(2**63), 1.5e300, 0.1, Float::INFINITY].each { |number| redis.rpush("l", number) }
    assert_equal [(2**80).to_s, (-(2**63)).to_s, "1.5e300", "0.1", "inf"], redis.lrange("l", 0, -1)
  end

  def test_pipelines
    assert_equal ["OK", 2, "2"], (redis.pipelined { |p| p.set("a", 1).incr("a").get("a") })
    assert_empty(redis.pipelined { |_| nil })
    error = assert_raises(Steadis::ServerError) { redis.pipelined { |p| p.set("a", "x").incr("a") } }
    assert_match(/integer/, error.message)
    replies = redis.pipelined(exception: false) { |p| p.incr("a").get("a") }
    assert_instance_of Steadis::ServerError, replies[0]
    assert_equal "x", replies[1]
    assert_equal(["x"], redis.pipelined { |p| p.call("GET", "a") })
    kept = nil
    redis.pipelined { |p| kept = p.ping }
    assert_match(/inside its block/, assert_raises(Steadis::UsageError) { kept.ping }.message)
    assert_raises(RuntimeError) { redis.pipelined { |p| p.set("a", "y") && raise("no") } }
    assert_equal "x", redis.get("a")
  end

  def test_transactions
    assert_equal [1, 2], (redis.multi { |t| t.incr("n").incr("n") })
    other = Steadis.connect(Server.shared.url)
    rounds = 0
    replies = redis.watch("n") do |view, t|
      other.incr("n") if (rounds += 1) == 1
      t.set("n", view.get("n").to_i * 10)
    end
    assert_equal [["OK"], 2, "30"], [replies, rounds, redis.get("n")]
    assert_raises(ZeroDivisionError) { redis.watch("n") { |_, _| 1 / 0 } }
    view = nil
    redis.watch("n") { |it, _| view = it }
    assert_match(/inside the block/, assert_raises(Steadis::UsageError) { view.get("n") }.message)
    assert_match(/queue it/, assert_raises(Steadis::UsageError) { redis.watch("n") { |it, _| it.incr("n") } }.message)
  ensure
    other&.close
  end

  def test_scripts
    script = redis.script("return {KEYS[1], ARGV[1]}")
    assert_equal %w[k 3], script.call(keys: ["k"], args: [3])
    assert_equal 40, script.sha.size
    redis.call("SCRIPT", "FLUSH")
    assert_equal([["k", "4"]], redis.pipelined { |p| script.call(keys: "k", args: [4], on: p) })
  end

  def test_walks
    redis.pipelined { |p| 500.times { |i| p.set("s:#{i}", i).sadd("set", i).hset("hash", i, i).zadd("zset", i, i) } }
    assert_equal 500, redis.scan_each(match: "s:*", count: 50).to_a.uniq.size
    assert_equal 500, redis.sscan_each("set").count
    assert_equal 500, redis.hscan_each("hash", count: 20).to_h.size
    assert_equal 7.0, redis.zscan_each("zset").to_h["7"]
    assert_equal 3, redis.scan_each.lazy.first(3).size
  end

  def test_what_a_client_says_of_itself
    assert_same redis, redis.ready(timeout: 5)
    assert_equal ["ready", 1], [redis.topology.phase, redis.topology.epoch]
    assert_equal "ready", redis.health.state
    assert_operator redis.stats[:calls], :>, 0
    assert_includes redis.stats(format: :prometheus), "steadis_calls_total"
    assert_equal "the url argument", redis.explain["port"].source
    assert_includes redis.explain.to_s, "port"
    assert_match(/\A#<Steadis::Client of 127.0.0.1:\d+>\z/, redis.inspect)
  end

  def test_no_password_is_shown
    port = Server.new("--requirepass", "another").port
    client = Steadis.connect("redis://:hush-hush@127.0.0.1:#{port}")
    error = assert_raises(Steadis::AuthError) { client.get("k") }
    [client.inspect, client.explain.to_s, client.explain.map(&:value).join, error.full_message].each do |text|
      refute_includes text, "hush-hush"
    end
    asked = 0
    asking = Steadis.connect("redis://127.0.0.1:#{port}", password: -> { (asked += 1) && "hush-hush" })
    assert_raises(Steadis::AuthError) { asking.get("k") }
    assert_operator asked, :>, 0
    failing = assert_raises(RuntimeError) { Steadis.connect("redis://h", password: -> { raise "no" }) }
    assert_equal "no", failing.message
  end

  def test_block_form_and_pools
    kept = Steadis.connect(Server.shared.url) { |client| client.tap(&:ping) }
    assert_predicate kept, :closed?
    assert_equal "PONG", redis.with(&:ping)
    require "connection_pool"
    pool = ConnectionPool.new(size: 2) { Steadis.connect(Server.shared.url) }
    assert_equal "PONG", pool.with(&:ping)
    pool.shutdown(&:close)
  end

  def test_options_of_calls
    slow = Steadis.connect(Server.new.url)
    slow.call("CLIENT", "PAUSE", 60_000, "ALL")
    error = assert_raises(Steadis::TimeoutError) { slow.options(timeout: 0.05).get("k") }
    assert_predicate error, :retryable?
    slow.close
    assert_nil redis.replica(policy: :prefer_replica, max_lag: 1.0).get("none")
  end

  def test_subscriptions
    subscription = redis.subscribe("news", patterns: ["user.*"]).ready
    redis.publish("news", "a")
    redis.publish("user.1", "b")
    assert_equal [Steadis::Message.new("news", nil, "a"), Steadis::Message.new("user.1", "user.*", "b")],
                 subscription.first(2)
    assert_nil subscription.next_event(0.01)
    subscription.close
    assert_raises(Steadis::ClosedError) { subscription.next_event(0) }
  end

  def test_subscriptions_as_in_redis_rb
    heard = []
    redis.subscribe("news", "more") do |on|
      on.subscribe { |channel, count| heard << [:in, channel, count] && count == 2 && redis.publish("news", "hi") }
      on.message { |channel, data| heard << [channel, data] && redis.unsubscribe }
      on.unsubscribe { |channel, count| heard << [:out, channel, count] }
    end
    assert_equal [[:in, "news", 1], [:in, "more", 2], %w[news hi], [:out, "news", 1], [:out, "more", 0]], heard
    assert_nil(redis.subscribe_with_timeout(0.05, "news") { |m| flunk m.to_s })
    assert_raises(Steadis::UsageError) { redis.unsubscribe }
  end

  def test_there_is_no_event_of_another_name
    error = assert_raises(Steadis::UsageError) { redis.on(:failovers) { |_| nil } }
    assert_match(/there is no event :failovers; there are failover/, error.message)
  end

  def test_every_command_of_the_table_is_a_method_everywhere
    %w[get zrange xreadgroup geosearch json_get].reject { |it| it.include?("json") }.each do |name|
      [Steadis::Client, Steadis::Pipeline, Steadis::View].each { |it| assert it.method_defined?(name), "#{it} #{name}" }
    end
  end
end
