# frozen_string_literal: true

# Bad input: a clear exception, never a crash or a deadlock.
class MisuseTest < Test
  def refused(phrase, &block)
    error = assert_raises(Steadis::UsageError, &block)
    assert_match phrase, error.message
    assert_equal ["Usage", false, false], [error.kind, error.retryable?, error.maybe_executed?]
  end

  def test_arguments
    refused(/argument 2 holds an object of class Object/) { redis.set("k", Object.new) }
    refused(/argument 1 holds an object of class Time/) { redis.get(Time.now) }
    refused(/ex: holds an object of class Proc/) { redis.set("k", "v", ex: -> {}) }
    refused(/"exx".*"ex"/) { redis.set("k", "v", exx: 1) }
    refused(/"value" is missing/) { redis.set("k") }
    refused(/null|nil|missing/) { redis.set("k", nil) }
    refused(/boolean/) { redis.call("SET", "k", true) }
    refused(/lists inside one another/) { redis.mset((list = []) << list) }
    refused(/lists inside one another/) { redis.call((list = []) << list) }
    refused(/./) { redis.call }
    refused(/subscribe/i) { redis.call("SUBSCRIBE", "c") }
    refused(/pipeline/) { redis.pipelined { |p| p.blpop("l", timeout: 1) } }
    refused(/keys to watch/) { redis.watch { |_, _| nil } }
    refused(/no format/) { redis.stats(format: "xml") }
    assert_raises(NoMethodError) { redis.gett("k") }
    assert_raises(TypeError) { redis.script(nil) }
    refute redis.exists?("k")
  end

  def test_settings
    error = assert_raises(Steadis::ConfigError) { Steadis.connect("redis://h", comand_timeout: 1) }
    assert_match(/command_timeout/, error.message)
    assert_raises(Steadis::UsageError) { Steadis.connect(Object.new) }
    assert_raises(Steadis::UsageError) { Steadis.connect("redis://h", password: Object.new) }
    assert_raises(Steadis::ConfigError) { Steadis.connect("http://h") }
  end

  def test_options_of_calls
    refused(/takes timeout and retry_writes/) { redis.options(time: 1) }
    refused(/timeout/) { redis.options(timeout: Object.new) }
    refused(/replica|only reads/) { redis.replica.set("k", 1) }
    refused(/timeout cannot be -1/) { redis.subscribe("news").next_event(-1) }
    assert_raises(TypeError) { redis.subscribe("news").next_event("1") }
  end

  def test_a_password_callable_that_answers_with_no_text
    refused(/password cannot be an object of class Integer/) { Steadis.connect("redis://h", password: -> { 42 }) }
    refused(/password cannot be an object of class NilClass/) { Steadis.connect("redis://h", password: -> { nil }) }
  end

  def test_a_closed_client
    client = Steadis.connect(Server.shared.url).tap(&:ping)
    2.times { client.close }
    [-> { client.get("k") }, -> { client.pipelined(&:ping) }, -> { client.subscribe("c").ready },
     -> { client.topology }, -> { client.watch("k") { |_, _| nil } }].each do |use|
      assert_raises(Steadis::ClosedError, &use)
    end
    assert_match(/, closed>\z/, client.inspect)
  end

  def test_native_classes_cannot_be_made_by_hand
    [Steadis::Client, Steadis::View, Steadis::Subscription].each do |it|
      assert_raises(TypeError, NoMethodError) { it.allocate }
    end
    assert_raises(Steadis::UsageError) { redis.dup }
  end

  def test_a_trap_handler_can_use_a_client_that_is_idle_and_is_told_when_its_thread_is_in_a_call
    out, = ruby(<<~'RUBY', Server.shared.url)
      r = Steadis.connect(ARGV[0]).ready
      trap("USR1") { puts r.get("none").inspect }
      $stdout.sync = true
      Process.kill("USR1", $$)
      trap("USR2") { r.get("none") }
      Thread.new do
        other = Steadis.connect(ARGV[0])
        Thread.pass until other.call("INFO", "clients").include?("blocked_clients:1")
        Process.kill("USR2", $$)
      end
      begin
        r.blpop("none", timeout: 0)
      rescue Steadis::UsageError => e
        puts e.message[0, 14]
      end
      puts r.ping
    RUBY
    assert_equal "nil\na trap handler\nPONG\n", out
  end

  def test_ractors_are_refused
    out, = ruby('Ractor.new { Steadis.connect("redis://h") }.take rescue puts $!.cause.class', "-W0")
    assert_includes out, "Ractor::UnsafeError"
  end

  def test_errors_are_recognised_by_rescuers_of_other_clients
    out, status = ruby(<<~'RUBY', Server.shared.url)
      class RedisClient
        Error = Class.new(StandardError)
        ConnectionError = Class.new(Error)
        TimeoutError = Class.new(ConnectionError)
        ReadTimeoutError = Class.new(TimeoutError)
        CommandError = Class.new(Error)
      end
      r = Steadis.connect(ARGV[0])
      seen = lambda { |kind, &use|
        begin
          use.call
        rescue kind => e
          puts "#{kind} #{e.class}"
        rescue StandardError => e
          puts "not #{kind}"
        end
      }
      r.rpush("list", 1)
      seen.(RedisClient::CommandError) { r.incr("list") }
      seen.(RedisClient::Error) { r.incr("list") }
      seen.(RedisClient::ConnectionError) { r.incr("list") }
      seen.(RedisClient::TimeoutError) { raise Steadis::TimeoutError }
      seen.(RedisClient::ConnectionError) { raise Steadis::TimeoutError }
      seen.(RedisClient::ReadTimeoutError) { raise Steadis::TimeoutError }
      seen.(RedisClient::ConnectionError) { raise Steadis::MaybeExecutedError }
    RUBY
    assert_predicate status, :success?
    assert_equal <<~TEXT, out
      RedisClient::CommandError Steadis::ServerError
      RedisClient::Error Steadis::ServerError
      not RedisClient::ConnectionError
      RedisClient::TimeoutError Steadis::TimeoutError
      RedisClient::ConnectionError Steadis::TimeoutError
      not RedisClient::ReadTimeoutError
      not RedisClient::ConnectionError
    TEXT
  end
end
