# frozen_string_literal: true

# The driver in redis-client, and in what is built on it: the versions that bindings/ruby/setup has
# unpacked, in processes of their own, because Debian's older ones are loaded in this one.
class DriverTest < Test
  NEWER = Dir["#{TREE}/.setup/ruby/usr/share/rubygems-integration/all/gems/*/lib"].freeze

  BEGINNING = <<~'RUBY'
    require "json"
    require "steadis/redis_client"
    DEPLOYMENT = { driver: :steadis, custom: { steadis: JSON.parse(ARGV[0], symbolize_names: true) } }
    $stdout.sync = true
    # Waits until the failover has been begun.
    def fail_over = puts("ready") || $stdin.gets
  RUBY

  # What the program says before the primary is killed, and after.
  def through_a_failover(program)
    @lab = Lab.new
    load_path = (NEWER + $LOAD_PATH.first(3)).flat_map { |it| ["-I", it] }
    line = [RbConfig.ruby, "-W0", *load_path, "-e", BEGINNING + program, JSON.generate(@lab.options)]
    IO.popen(line, "r+", err: %i[child out]) do |child|
      before = child.each_line.take_while { |it| it != "ready\n" }.join
      # Redis replicates on its own time; what the replicas have cannot be lost.
      assert_equal 2, @lab.do("call", name: "primary", command: ["WAIT", 2, 5000])["reply"], before
      @lab.do("kill", name: "primary")
      child.puts
      [before, child.read]
    end
  end

  def test_the_clients_are_those_that_are_meant
    names = NEWER.map { |it| it[%r{/([^/]+)/lib\z}, 1] }.sort
    assert_equal %w[connection_pool-2.4.1 redis-5.3.0 redis-client-0.22.2 sidekiq-7.3.2], names
  end

  def test_redis_client
    before, after = through_a_failover(<<~'RUBY')
      config = RedisClient.config(**DEPLOYMENT, reconnect_attempts: 3)
      client = config.new_client
      pool = config.new_pool(size: 3)
      puts client.call("SET", "k", "v"), pool.with { |it| it.call("GET", "k") }
      puts client.pipelined { |p| p.call("INCR", "n"); p.call("INCR", "n") }.inspect
      puts client.multi { |m| m.call("INCR", "n"); m.call("HGETALL", "none") }.inspect
      fail_over
      puts client.call("SET", "k", "w"), pool.call("GET", "k"), client.call("GET", "n"), client.call("ROLE").first
      child = fork { print client.call("GET", "k") }
      Process.wait(child)
      print client.call("GET", "k")
    RUBY
    assert_equal ["OK\nv\n[1, 2]\n[3, {}]\n", "OK\nw\n3\nmaster\nww"], [before, after]
  end

  def test_redis_client_that_repeats_nothing
    before, after = through_a_failover(<<~'RUBY')
      client = RedisClient.config(**DEPLOYMENT).new_client
      puts client.call("SET", "k", "v")
      fail_over
      begin
        client.call("SET", "k", "w")
        puts "nothing noticed"
      rescue RedisClient::ConnectionError
        # It had been sent to the one that died.
        puts client.call("SET", "k", "w")
      end
      puts client.call("GET", "k")
    RUBY
    assert_equal "OK\n", before
    assert_match(/\A(nothing noticed|OK)\nw\n\z/, after)
  end

  def test_redis_rb_5
    before, after = through_a_failover(<<~'RUBY')
      require "redis"
      redis = Redis.new(**DEPLOYMENT)
      puts Redis::VERSION[0], redis.set("k", "v", ex: 60), redis.hset("h", "a", 1), redis.hgetall("h")
      fail_over
      puts redis.set("k", "w"), redis.get("k"), redis.multi { |m| m.incr("n"); m.incr("n") }.inspect
      heard = Queue.new
      listening = Thread.new do
        Redis.new(**DEPLOYMENT).subscribe("news") do |on|
          on.subscribe { redis.publish("news", "hello") }
          on.message { |_, text| heard << text and Thread.exit }
        end
      end
      puts heard.pop
      listening.join
    RUBY
    assert_equal ["5\nOK\n1\n{\"a\"=>\"1\"}\n", "OK\nw\n[1, 2]\nhello\n"], [before, after]
  end

  def test_sidekiq_7
    before, after = through_a_failover(<<~'RUBY')
      require "sidekiq"
      require "sidekiq/embedded"
      DONE = Queue.new
      class Job
        include Sidekiq::Job
        def perform(number) = DONE << number
      end
      options = DEPLOYMENT.merge(driver: "steadis")
      Sidekiq.configure_client { |config| config.redis = options }
      Sidekiq.default_configuration.logger.level = Logger::FATAL
      worker = Sidekiq.configure_embed do |config|
        config.redis = options
        config.logger.level = Logger::FATAL
        config.concurrency = 3
      end
      worker.run
      puts Sidekiq::VERSION[0]
      5.times { |it| Job.perform_async(it) }
      puts Array.new(5) { DONE.pop }.sort.inspect
      fail_over
      5.times { |it| Job.perform_async(it + 5) }
      got = []
      # One that was fetched from the dying primary may come again.
      got |= [DONE.pop] until ((5..9).to_a - got).empty?
      puts (got & (5..9).to_a).sort.inspect
      worker.stop
    RUBY
    assert_equal "7\n[0, 1, 2, 3, 4]\n", before
    assert_equal "[5, 6, 7, 8, 9]\n", after
  end

  def test_a_deployment_that_cannot_be_reached
    load_path = (NEWER + $LOAD_PATH.first(3)).flat_map { |it| ["-I", it] }
    options = JSON.generate(url: "redis://127.0.0.1:1", failover_timeout: 0.1)
    out = IO.popen([RbConfig.ruby, "-W0", *load_path, "-e", BEGINNING + <<~'RUBY', options], &:read)
      begin
        RedisClient.config(**DEPLOYMENT).new_client.call("PING")
      rescue RedisClient::CannotConnectError => e
        puts e.message
      end
    RUBY
    assert_match(/127.0.0.1:1/, out)
  end
end
