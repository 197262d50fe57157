# frozen_string_literal: true

# Plays scenarios with the Ruby client; docs/scenarios.md says how it is spoken to.

TREE = File.expand_path("../../..", __dir__)
$LOAD_PATH.unshift("#{TREE}/bindings/ruby", "#{TREE}/bindings/ruby/lib")

require "json"
require "steadis"

WORKLOADS = %w[increments reads pipelines transactions scripts watch blocking streams pubsub fork].freeze
SCRIPT = "return {redis.call('INCR', KEYS[1]), redis.call('INCR', KEYS[2])}"
# The first worker number of a forked child; the parent's are below.
CHILDREN = 1000

def now = Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond)

# One write of its own for each line: nothing is left in a buffer that a fork would copy.
def say(**line) = $stdout.syswrite("#{JSON.generate(line)}\n")

def failure(error)
  return { kind: error.class.name, code: nil, message: error.message } unless error.is_a?(Steadis::Error)

  { kind: error.kind, code: error.code, message: error.message }
end

# What was counted or heard, of a reply.
def number(value)
  case value
  when String then Integer(value, 10, exception: false) || value
  when Array then value.map { |it| number(it) }
  when Steadis::Message then number(value.data)
  when Steadis::Gap then "gap"
  else value
  end
end

# One operation, or a batch of them.
Step = Struct.new(:op, :key, :shared, :turn, :count, keyword_init: true) do
  def perform(client, news)
    pair = ["#{key}:a", "#{key}:b"]
    case op
    when "get" then client.get(key)
    when "multi" then client.multi { |it| pair.each { |one| it.incr(one) } }
    when "eval" then client.eval(SCRIPT, pair)
    when "watch" then add_one(client)
    when "push" then client.rpush(shared, turn)
    when "pop" then client.blpop(shared, timeout: 1)
    when "add" then client.xadd(shared, { n: turn })
    when "entry" then entry(client)
    when "publish" then client.publish(shared, turn)
    when "message" then news.subscribe(shared).next_event(1)
    else
      return client.incr(key) unless count

      client.pipelined(exception: false) { |it| count.times { it.incr(key) } }
    end
  end

  # Nobody else may change the key meanwhile.
  def add_one(client)
    value = nil
    client.watch(key) { |view, transaction| transaction.set(key, value = view.get(key).to_i + 1) }
    value
  end

  # The entry behind the one that this thread has read last.
  def entry(client)
    behind = Thread.current[:last] || "0"
    client.xread({ shared => behind }, count: 1, block: 1)&.then do |streams|
      stream, ((id, fields)) = streams.first
      Thread.current[:last] = id
      [stream, *fields.values]
    end
  end

  def outcomes(client, news) = count ? perform(client, news) : [perform(client, news)]

  def log(start, outcomes)
    finish = now
    outcomes.each do |outcome|
      result = outcome.is_a?(Exception) ? { error: failure(outcome) } : { value: number(outcome) }
      say(op:, key:, start:, end: finish, **result)
    end
  end
end

# What the driver asks for.
class Order
  attr_reader :workers, :child_rounds

  def initialize(line)
    order = JSON.parse(line)
    @workload, @workers, @batch, @child_rounds, @prefix =
      order.values_at("workload", "workers", "batch", "child_rounds", "prefix")
    @think = order.fetch("think_ms") / 1000.0
  end

  # Repeats what the worker of this number does, as long as the block agrees to another round.
  def rounds(client, worker)
    news = client.subscribe
    turn = 0
    round(client, news, worker, turn) while yield(turn += 1)
  end

  private

  def round(client, news, worker, turn)
    steps(worker, turn).each do |step|
      start = now
      outcomes = begin
        step.outcomes(client, news)
      rescue StandardError => e
        [e] * (step.count || 1)
      end
      step.log(start, outcomes)
    end
    sleep(@think) unless waits?(worker)
  end

  # Who waits for a partner needs no sleep.
  def waits?(worker) = %w[blocking streams pubsub].include?(@workload) && worker.even?

  # What the worker of this number does in its round of this number, from 1.
  def steps(worker, turn)
    key = "#{@prefix}n#{worker}"
    # Workers 6 and 7 share what is called 7: one takes or hears what the other gives.
    between = { key:, shared: "#{@prefix}n#{worker | 1}:shared", turn: }
    case @workload
    when "reads" then [Step.new(op: "get", key:)]
    when "pipelines" then [Step.new(op: "incr", key:, count: @batch)]
    when "transactions" then [Step.new(op: "multi", key:)]
    when "scripts" then [Step.new(op: "eval", key:)]
    when "watch" then [Step.new(op: "watch", key:)]
    when "blocking" then [Step.new(op: worker.odd? ? "push" : "pop", **between)]
    when "streams" then [Step.new(op: worker.odd? ? "add" : "entry", **between)]
    when "pubsub" then [Step.new(op: worker.odd? ? "publish" : "message", **between)]
    else [Step.new(op: "incr", key:), Step.new(op: "get", key:)]
    end
  end
end

def connect
  start = now
  client = Steadis.connect
  Steadis::Client::EVENTS.each { |name| client.on(name) { |event| say(event: event.name, at: now, says: event.to_s) } }
  client
rescue Steadis::Error => e
  say(op: "connect", key: "", start:, end: now, error: failure(e))
  nil
end

def play(order)
  client = connect or return
  stopped = false
  threads = Array.new(order.workers) { |worker| Thread.new { order.rounds(client, worker) { !stopped } } }
  children = []
  while $stdin.gets&.include?("fork")
    worker = CHILDREN + children.size
    children << fork do
      order.rounds(client, worker) { |turn| turn <= order.child_rounds }
      exit!(0)
    end
  end
  stopped = true
  threads.each(&:join)
  children.each { |child| Process.wait(child) }
  client.close
end

say(ready: true, workloads: WORKLOADS)
line = $stdin.gets
play(Order.new(line)) if line
say(done: true)
