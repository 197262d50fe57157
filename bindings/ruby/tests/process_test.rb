# frozen_string_literal: true

require_relative "unsettle"

# Forks, the collector, and the end of a process.
class ProcessTest < Test
  # What the child's block returns, as text.
  def child
    reader, writer = IO.pipe
    pid = fork do
      writer.write(yield.to_s)
      exit!(0)
    end
    writer.close
    said = reader.read
    Process.wait(pid)
    said
  ensure
    reader.close
  end

  def test_forks_before_and_after_use
    unused = Steadis.connect(Server.shared.url)
    assert_equal("PONG", child { unused.ping })
    assert_equal "PONG", unused.ping
    redis.set("k", "v")
    10.times { assert_equal("v", child { redis.get("k") }) }
    assert_equal "v", redis.get("k")
    assert_equal("v", child { child { redis.get("k") } })
    assert_equal 1, redis.stats[:connections]
    unused.close
  end

  def test_forks_while_threads_work
    over = false
    threads = Array.new(4) { |it| Thread.new { redis.incr("n:#{it}") until over } }
    20.times { |round| assert_equal(round.to_s, child { redis.set("k", round) && redis.get("k") }) }
    over = true
    threads.each(&:join)
    assert_equal "PONG", redis.ping
  end

  def test_a_server_with_workers_that_were_forked_from_a_loaded_application
    redis.set("hits", 0)
    redis.on(:failover) { |_| nil }
    pids = []
    readers = Array.new(3) do
      reader, writer = IO.pipe
      pids << fork do
        threads = Array.new(4) { Thread.new { 50.times { redis.incr("hits") } } }
        threads.each(&:join)
        writer.write(Thread.list.count { |it| it.name == "steadis-events" })
        exit!(0)
      end
      writer.close
      reader
    end
    assert_equal %w[1 1 1], readers.map(&:read)
    pids.each { |it| Process.wait(it) }
    assert_equal "600", redis.get("hits")
    pid = Process.spawn("true")
    assert_equal pid, Process.wait(pid)
  end

  # A child inherits listeners, and the parent's bell with them.
  def test_events_of_a_child_do_not_ring_at_the_parent
    url = Server.shared.url
    client = Steadis.connect(url)
    heard = Queue.new
    client.on(:hold) { |event| heard << event }
    assert_equal "hold", unsettle(client, url, heard)
    assert_equal("hold", child { unsettle(client, url, heard) })
    listening = Thread.list.select { |it| it.name == "steadis-events" }
    # What the kernel says of the processor time they got.
    spent = -> { listening.map { |it| File.read("/proc/self/task/#{it.native_thread_id}/schedstat") } }
    at_rest = Array.new(3) do
      before = spent.call
      1000.times { client.ping }
      spent.call == before
    end
    assert_operator at_rest.count(true), :>=, 2, "a listener spins"
  ensure
    client&.close
  end

  def test_a_daemon_hears_events_too
    out, = ruby(<<~'RUBY', Server.shared.url, "#{__dir__}/unsettle.rb")
      require ARGV[1]
      r = Steadis.connect(ARGV[0])
      heard = Queue.new
      r.on(:hold) { |event| heard << event }
      Process.daemon(true, true)
      puts unsettle(r, ARGV[0], heard)
    RUBY
    assert_equal "hold\n", out
  end

  # In the middle of a call that could hand over to a thread that has to wait for the same class.
  def test_no_class_is_looked_up_at_its_first_use
    out, = ruby(<<~'RUBY', Server.shared.url)
      looked_up = []
      watched = Module.new { define_method(:const_get) { |*names| looked_up.concat(names) && super(*names) } }
      Object.singleton_class.prepend(watched)
      r = Steadis.connect(ARGV[0])
      r.on(:hold) { |_| nil }
      r.pipelined { |p| p.get("k") }
      r.script("return 1").call
      r.scan_each.first
      r.subscribe.close
      r.watch("k") { |_, t| t.get("k") }
      Steadis::Resolver.new(ARGV[0]).primary
      Object.const_get("Steadis")
      p looked_up.grep(/Steadis/)
    RUBY
    assert_equal "[\"Steadis\"]\n", out
  end

  def test_the_collector_at_every_allocation
    out, status = ruby(<<~'RUBY', Server.shared.url)
      r = Steadis.connect(ARGV[0]).ready
      GC.stress = true
      r.hset("gc", "a" => 1, "b" => 2**70, "c" => 2.5)
      r.rpush("gcl", *Array.new(20) { |it| "element #{it} that is too long to be embedded in its object" })
      raise unless r.hgetall("gc").size == 3 && r.lrange("gcl", 0, -1).last.start_with?("element 19")
      raise unless r.pipelined { |p| p.get("x").hgetall("gc") }.last["a"] == "1"
      code = begin
        r.incr("gc")
      rescue Steadis::ServerError => e
        e.code
      end
      raise unless code == "WRONGTYPE"
      GC.stress = false
      GC.verify_internal_consistency if GC.respond_to?(:verify_internal_consistency)
      puts "good"
    RUBY
    assert_predicate status, :success?, out
    assert_equal "good\n", out
  end

  def test_compaction
    out, status = ruby(<<~'RUBY', Server.shared.url)
      GC.auto_compact = true
      r = Steadis.connect(ARGV[0], password: nil).ready
      script = r.script("return ARGV[1]")
      over = false
      threads = Array.new(4) do |n|
        Thread.new do
          round = 0
          until over
            nested = [["a#{n}#{round}", 2**80], { "k#{n}" => "v" }]
            words = r.call("MGET", *nested.flatten(1).map { |it| it.is_a?(Hash) ? it.keys.first : it })
            raise unless words.size == 3
            raise unless script.call(args: ["x#{n}#{round += 1}"]) == "x#{n}#{round}"
          end
        end
      end
      30.times { GC.compact }
      over = true
      threads.each(&:join)
      puts "good"
    RUBY
    assert_predicate status, :success?, out
    assert_equal "good\n", out
  end

  def test_clients_that_nobody_uses_are_collected
    out, = ruby(<<~'RUBY', Server.shared.url)
      fds = -> { Dir.children("/proc/self/fd").size }
      keeper = Steadis.connect(ARGV[0]).ready
      before = fds.call
      200.times { Steadis.connect(ARGV[0]).ping }
      5.times { GC.start }
      puts fds.call - before < 50
    RUBY
    assert_equal "true\n", out
  end

  def test_a_process_ends_when_it_likes
    ends = { "calls in threads" => "4.times { Thread.new { loop { r.incr('n') } } }; Thread.pass",
             "a wait" => "Thread.new { r.blpop('none', timeout: 0) }; Thread.pass",
             "listeners" => "r.on(:failover) { |_| }; r.ping",
             "at_exit" => "at_exit { r.ping }",
             "a subscription" => "Thread.new { r.subscribe('c') { |_| } }; Thread.pass" }
    ends.each do |what, code|
      start = now
      out, status = ruby("r = Steadis.connect(ARGV[0]).ready; #{code}", Server.shared.url)
      assert_equal ["", 0], [out, status.exitstatus], what
      assert_operator now - start, :<, 5, what
    end
  end
end
