# frozen_string_literal: true

# Plays scenarios with the Ruby client; docs/scenarios.md says how it is spoken to.

TREE = File.expand_path("../../..", __dir__)
$LOAD_PATH.unshift("#{TREE}/bindings/ruby", "#{TREE}/bindings/ruby/lib")

require "json"
require "steadis"

WORKLOADS = %w[increments reads pipelines transactions scripts fork].freeze
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

# One operation, or a batch of them.
Step = Struct.new(:op, :key, :count) do
  def perform(client)
    pair = ["#{key}:a", "#{key}:b"]
    case op
    when "get" then client.get(key)&.to_i
    when "multi" then client.multi { |it| pair.each { |one| it.incr(one) } }
    when "eval" then client.eval(SCRIPT, pair)
    else
      return client.incr(key) if count == 1

      client.pipelined(exception: false) { |it| count.times { it.incr(key) } }
    end
  end

  def outcomes(client) = count > 1 ? perform(client) : [perform(client)]

  def log(start, outcomes)
    finish = now
    outcomes.each do |outcome|
      result = outcome.is_a?(Exception) ? { error: failure(outcome) } : { value: outcome }
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

  def round(client, worker)
    steps(worker).each do |step|
      start = now
      outcomes = begin
        step.outcomes(client)
      rescue StandardError => e
        [e] * step.count
      end
      step.log(start, outcomes)
    end
    sleep(@think)
  end

  private

  # What the worker of this number does in each round.
  def steps(worker)
    key = "#{@prefix}n#{worker}"
    case @workload
    when "reads" then [Step.new("get", key, 1)]
    when "pipelines" then [Step.new("incr", key, @batch)]
    when "transactions" then [Step.new("multi", key, 1)]
    when "scripts" then [Step.new("eval", key, 1)]
    else [Step.new("incr", key, 1), Step.new("get", key, 1)]
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
  threads = Array.new(order.workers) { |worker| Thread.new { order.round(client, worker) until stopped } }
  children = []
  while $stdin.gets&.include?("fork")
    worker = CHILDREN + children.size
    children << fork do
      order.child_rounds.times { order.round(client, worker) }
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
