# frozen_string_literal: true

# Through a real failover: threads of ours, and the clients of others by their hooks.
class FailoverTest < Test
  def setup
    super
    @lab = Lab.new
  end

  def fail_over
    before = @lab.do("call", name: "primary", command: ["ROLE"])
    assert_equal "master", before["reply"].first
    @lab.do("kill", name: "primary")
  end

  def test_64_threads
    client = Steadis.connect(**@lab.options)
    heard = Queue.new
    client.on(:failover) { |event| heard << event }
    over = false
    doubts = Queue.new
    counts = Array.new(64) do |number|
      Thread.new do
        count = 0
        until over
          begin
            client.incr("n:#{number}")
            count += 1
          rescue Steadis::MaybeExecutedError => e
            doubts << e
          end
        end
        count
      end
    end
    eventually("work") { client.stats[:calls] > 500 }
    fail_over
    event = Timeout.timeout(30) { heard.pop } until event && event[:from]
    seen = client.stats[:calls]
    eventually("work on the new primary") { client.stats[:calls] > seen + 500 }
    over = true
    counts.each(&:join)
    assert_operator doubts.size, :<=, 64
    assert_equal "ready", client.health.state if client.health.sentinels_up == 3
  ensure
    client&.close
  end

  def test_redis_rb_4_by_its_connector
    require "redis"
    require "steadis/redis_connector"
    redis = Redis.new(connector: Steadis::RedisConnector, steadis: @lab.options)
    assert_equal "OK", redis.set("k", "v")
    before = redis.connection[:port]
    fail_over
    assert_equal "OK", redis.set("k", "w")
    refute_equal before, redis.connection[:port]
    assert_equal "w", redis.get("k")
  ensure
    redis&.close
  end

  def test_redis_store_and_its_sessions
    require "redis-store"
    require "redis-rack"
    require "steadis/redis_connector"
    store = Redis::Store.new(connector: Steadis::RedisConnector, steadis: @lab.options)
    count = lambda { |env|
      visits = env["rack.session"]["visits"] = env["rack.session"]["visits"].to_i + 1
      [200, {}, [visits.to_s]]
    }
    site = Rack::Session::Redis.new(count, redis_store: store)
    _, headers, body = site.call(Rack::MockRequest.env_for("/"))
    assert_equal ["1"], body.each.to_a
    cookie = headers["Set-Cookie"][/[^;]+/]
    # Redis replicates on its own time; what the replicas have cannot be lost.
    assert_equal 2, @lab.do("call", name: "primary", command: ["WAIT", 2, 5000])["reply"]
    fail_over
    %w[2 3].each do |visits|
      _, _, body = site.call(Rack::MockRequest.env_for("/", "HTTP_COOKIE" => cookie))
      assert_equal [visits], body.each.to_a
    end
  ensure
    store&.close
  end

  def test_sidekiq
    require "sidekiq"
    require "sidekiq/api"
    require "steadis/redis_connector"
    Sidekiq.logger.level = Logger::FATAL
    Sidekiq.configure_client do |config|
      config.redis = ConnectionPool.new(size: 5) do
        Redis.new(connector: Steadis::RedisConnector, steadis: @lab.options)
      end
    end
    job = { "class" => "Job", "args" => [1] }
    assert Sidekiq::Client.push(job)
    assert_equal 2, @lab.do("call", name: "primary", command: ["WAIT", 2, 5000])["reply"]
    fail_over
    assert Sidekiq::Client.push(job)
    assert_equal 2, Sidekiq::Queue.new.size
  end

  def test_a_resolver
    resolver = Steadis::Resolver.new(**@lab.options)
    changes = Queue.new
    resolver.on_change { |primary| changes << primary }
    before = resolver.primary(timeout: 10)
    assert resolver.current?(before.epoch)
    assert_equal ["127.0.0.1", 2], [before.host, resolver.replicas.size]
    fail_over
    resolver.report(before)
    after = resolver.primary
    refute_equal before.address, after.address
    refute resolver.current?(before.epoch)
    heard = Timeout.timeout(10) { changes.pop } until heard == after
    assert_equal after.address, resolver.topology.primary
  ensure
    resolver&.close
  end
end
