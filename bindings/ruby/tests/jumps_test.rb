# frozen_string_literal: true

# What jumps out of the middle of a call leaves nothing locked behind: exceptions, throws, the end
# of a thread; and Ruby code that runs in the middle of one does no harm.
class JumpsTest < Test
  Stop = Class.new(StandardError)

  # A server with a password, so that callables are asked whenever a thread connects.
  def self.guarded = @guarded ||= Server.new("--requirepass", "hush-hush")

  def guarded(password) = Steadis.connect("redis://127.0.0.1:#{JumpsTest.guarded.port}", password:)

  # Ruby code in a process of its own, with the address of a server with a password.
  def survives(source)
    out, status = ruby(source, JumpsTest.guarded.port.to_s)
    assert_equal ["good\n", 0], [out, status.exitstatus]
  end

  def test_kills_among_exceptions
    300.times do
      begun = false
      left = []
      victim = Thread.new do
        begin
          (begun = true) && redis.ping while true
        rescue Stop
          left << :rescued
          retry
        ensure
          left << :ended
        end
      end
      Thread.pass until begun
      victim.raise(Stop)
      victim.kill
      assert victim.join(10), "a thread that was killed goes on"
      assert_equal :ended, left.last
    end
    assert_equal "PONG", redis.ping
    assert_equal 1, redis.stats[:connections]
  end

  def test_an_exception_that_came_with_another_one
    seen = []
    victim = Thread.new do
      begin
        redis.ping while true
      rescue Stop => e
        seen << e.message
        retry unless seen.size == 2
      end
    end
    Thread.pass until redis.stats[:calls] > 100
    # Both are waiting before the thread gets to see the first.
    Thread.handle_interrupt(Object => :never) { %w[first second].each { |it| victim.raise(Stop, it) } }
    assert victim.join(10), "the second one was never seen"
    assert_equal %w[first second], seen
  end

  def test_a_throw_out_of_a_trap_handler
    before = trap("USR1") { throw :out, :thrown }
    helper = Thread.new do
      other = Steadis.connect(Server.shared.url)
      Thread.pass until blocked(other) == 1
      Process.kill("USR1", Process.pid)
      other.close
    end
    assert_equal(:thrown, catch(:out) { redis.blpop("none", timeout: 0) })
    helper.join
    assert_equal "PONG", redis.ping
  ensure
    trap("USR1", before || "DEFAULT")
  end

  def test_a_trap_handler_may_look_at_the_client_that_its_thread_waits_on
    out, = ruby(<<~'RUBY', Server.shared.url)
      r = Steadis.connect(ARGV[0]).ready
      other = Steadis.connect(ARGV[0])
      other.call("CLIENT", "PAUSE", 60_000, "WRITE")
      trap("USR1") do
        r.stats(format: "prometheus")
        puts [r.stats[:calls] > 0, r.topology.phase, r.health.state, r.explain["port"].name, r.closed?].inspect
        GC.start
        r.close
      end
      Thread.new do
        Thread.pass until other.call("INFO", "clients")[/blocked_clients:(\d+)/, 1].to_i == 1
        Process.kill("USR1", $$)
      end
      begin
        r.incr("n")
      rescue Steadis::Error => e
        puts e.class
      end
      other.call("CLIENT", "UNPAUSE")
    RUBY
    assert_equal "[true, \"ready\", \"ready\", \"port\", false]\nSteadis::MaybeExecutedError\n", out
  end

  def test_what_a_password_callable_raises_ends_the_call_that_asked
    ready = false
    client = guarded(lambda {
      raise Stop, "no password today" if ready && Thread.current[:refused]

      "hush-hush"
    })
    ready = true
    refused = Thread.new do
      Thread.current[:refused] = true
      client.blpop("none", timeout: 1)
    rescue Stop => e
      e.message
    end
    assert_equal "no password today", refused.value
    assert_equal "PONG", client.ping
  ensure
    client&.close
  end

  def test_a_thread_that_is_killed_while_it_is_asked_for_the_password
    inside = Queue.new
    client = guarded(lambda {
      if Thread.current[:victim]
        inside << true
        Thread.stop
      end
      "hush-hush"
    })
    ended = false
    victim = Thread.new do
      Thread.current[:victim] = true
      client.get("k")
    ensure
      ended = true
    end
    inside.pop
    neighbour = Thread.new { client.ping }
    victim.kill.join
    assert ended
    assert_equal "PONG", neighbour.value
  ensure
    client&.close
  end

  def test_a_password_callable_that_needs_its_own_client
    client = nil
    client = guarded(-> { client&.ping || "hush-hush" })
    error = assert_raises(Steadis::UsageError) { client.get("k") }
    assert_match(/password callable/, error.message)
    # Not even by way of another thread, which waits for the first one to connect.
    client = nil
    client = guarded(-> { (client && Thread.new { client.ping }.value) || "hush-hush" })
    start = now
    assert_raises(Timeout::Error) { Timeout.timeout(0.3) { client.get("k") } }
    assert_operator now - start, :<, 5
  end

  def test_a_storm_of_timeouts_while_the_password_is_asked_for
    survives(<<~'RUBY')
      require "timeout"
      Stop = Class.new(StandardError)
      stormy = true
      password = lambda {
        Thread.pass while stormy && rand(50).positive?
        "hush-hush"
      }
      clients = Array.new(20) { Steadis.connect("redis://127.0.0.1:#{ARGV[0]}", password:).ready }
      600.times do |round|
        client = clients[round % clients.size]
        # Each of these connects anew, because the one before was left in the middle.
        Timeout.timeout(rand * 0.002, Stop) { client.blpop("none", timeout: 0) }
      rescue Stop
        next
      end
      threads = Array.new(200) do |round|
        Thread.new { clients[round % clients.size].blpop("none", timeout: 0) }
      end
      threads.each do |it|
        Thread.pass
        it.kill
      end
      threads.each(&:join)
      stormy = false
      puts "good" if clients.all? { |it| it.ping == "PONG" && it.lpush("jobs", 1) && it.blpop("jobs", timeout: 1) }
    RUBY
  end

  def test_a_subscription_that_another_thread_closes
    subscription = redis.subscribe("news").ready
    heard = Thread.new do
      subscription.next_event
    rescue Steadis::Error => e
      e.class
    end
    eventually("the wait") { heard.stop? }
    subscription.close
    assert heard.join(10), "the wait goes on"
    assert_equal Steadis::ClosedError, heard.value
  end
end
