# frozen_string_literal: true

# Many threads share one client, and what ends one call leaves the others and the connection alone.
class ThreadsTest < Test
  Stop = Class.new(StandardError)

  # Threads that go on asking for what they wrote; a reply that is somebody else's ends the test.
  def neighbours(count, client)
    @over = false
    @rounds = Array.new(count, 0)
    Array.new(count) do |number|
      client.set("own:#{number}", number)
      Thread.new do
        until @over
          assert_equal(number.to_s, client.get("own:#{number}"))
          @rounds[number] += 1
        end
      end
    end
  end

  # After each of them has got something.
  def end_of(threads)
    eventually("a round of each") { threads.none?(&:status) || @rounds.min > 10 }
    @over = true
    threads.each(&:join)
  end

  def connections = redis.stats[:connections]

  def test_replies_are_never_mixed
    threads = neighbours(64, redis)
    assert_equal (0...64).map(&:to_s), redis.mget(*(0...64).map { |it| "own:#{it}" })
    end_of(threads)
    assert_equal 1, connections
  end

  def test_a_storm_of_timeouts
    threads = neighbours(8, redis)
    ended = 0
    500.times do |round|
      Timeout.timeout(rand * 0.001, Stop) { redis.incr("n") while true }
    rescue Stop
      ended = round + 1
    end
    assert_equal 500, ended
    end_of(threads)
    assert_equal "PONG", redis.ping
    assert_operator redis.get("n").to_i, :>, 0
  end

  def test_a_storm_of_kills
    threads = neighbours(8, redis)
    cleaned = 0
    200.times do
      begun = false
      victim = Thread.new do
        (begun = true) && redis.get("own:1") while true
      ensure
        cleaned += 1
      end
      Thread.pass until begun
      victim.kill.join
    end
    assert_equal 200, cleaned
    end_of(threads)
    assert_equal 8, (0...8).count { |it| redis.get("own:#{it}") == it.to_s }
  end

  def test_what_ends_a_wait
    { "kill" => ->(thread) { thread.kill }, "raise" => ->(thread) { thread.raise(Stop) } }.each do |how, stop|
      seen = nil
      waiting = Thread.new do
        redis.blpop("none", timeout: 0)
      rescue Stop => e
        seen = e
      end
      eventually("the wait") { blocked(redis) == 1 }
      start = now
      stop.call(waiting)
      waiting.join
      assert_operator now - start, :<, 0.5, how
      assert_instance_of Stop, seen if how == "raise"
      eventually("its end on the server") { blocked(redis).zero? }
    end
    start = now
    assert_raises(Timeout::Error) { Timeout.timeout(0.1) { redis.blpop("none", timeout: 0) } }
    assert_operator now - start, :<, 0.5
  end

  def test_an_exception_that_is_held_off_comes_later
    handled = []
    waiting = Thread.new do
      Thread.handle_interrupt(Stop => :never) do
        handled << redis.blpop("late", timeout: 0)
      end
    rescue Stop
      handled << :stop
    end
    eventually("the wait") { blocked(redis) == 1 }
    waiting.raise(Stop)
    redis.rpush("late", "x")
    waiting.join
    assert_equal [%w[late x], :stop], handled
  end

  def test_ctrl_c_ends_a_call_in_every_company
    companies = ["", "Thread.new { Thread.stop }", "Thread.new { 1 }.join", "Thread.new { loop { 1 + 1 } }",
                 "Thread.new { loop { $r.ping } }"]
    companies.each do |company|
      program = <<~RUBY
        $r = Steadis.connect(ARGV[0]).ready
        # Whoever starts tests in the background has it ignored.
        trap("INT", "DEFAULT")
        #{company}
        begin
          $r.blpop(ARGV[1], timeout: 0)
        rescue Interrupt
          puts "interrupted, \#{$r.ping}"
        end
      RUBY
      load_path = $LOAD_PATH.first(3).flat_map { |it| ["-I", it] }
      IO.popen([RbConfig.ruby, *load_path, "-rsteadis", "-e", program, Server.shared.url, "none"]) do |child|
        eventually("the wait") { blocked(redis) == 1 }
        start = now
        Process.kill("INT", child.pid)
        assert_equal "interrupted, PONG\n", child.read, company
        assert_operator now - start, :<, 3, company
      end
      eventually("its end on the server") { blocked(redis).zero? }
    end
  end

  def test_other_threads_run_while_one_waits
    waiting = Thread.new { redis.blpop("none", timeout: 0) }
    eventually("the wait") { blocked(redis) == 1 }
    count = 0
    limit = now + 0.2
    count += 1 while now < limit
    assert_operator count, :>, 10_000
    assert_predicate waiting, :alive?
    waiting.kill.join
  end

  def test_a_signal_handler_does_not_end_a_call
    heard = 0
    before = trap("USR1") { heard += 1 }
    helper = Thread.new do
      other = Steadis.connect(Server.shared.url)
      Thread.pass until blocked(other) == 1
      3.times do |round|
        Process.kill("USR1", Process.pid)
        Thread.pass until heard == round + 1
      end
      other.rpush("jobs", "x")
      other.close
    end
    assert_equal %w[jobs x], redis.blpop("jobs", timeout: 0)
    helper.join
    assert_equal 3, heard
  ensure
    trap("USR1", before || "DEFAULT")
  end

  def test_close_ends_those_who_wait
    client = Steadis.connect(Server.shared.url)
    waiting = Thread.new do
      client.blpop("none", timeout: 0)
    rescue Steadis::Error => e
      e
    end
    eventually("the wait") { blocked(redis) == 1 }
    client.close
    # The server may just have taken something off the list.
    assert_predicate waiting.value, :maybe_executed?
    assert_raises(Steadis::ClosedError) { client.blpop("none", timeout: 0) }
  end
end
