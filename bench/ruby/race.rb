# frozen_string_literal: true

# Steadis beside redis-rb with its Ruby and its hiredis driver, in one process, in turns.
#
# Machines drift while a benchmark runs; so the contenders take turns of a fraction of a second,
# and what counts is the ratio within each round, and how much processor time an operation took.
# Medians over the rounds are printed.

require "etc"
require "redis"
require "redis/connection/hiredis"
require "redis/connection/ruby"
require "socket"
require "tmpdir"
require "steadis"

ROUNDS = Integer(ENV.fetch("STEADIS_BENCH_ROUNDS", 15))
SLICE = Integer(ENV.fetch("STEADIS_BENCH_SLICE_MS", 150)) / 1000.0
BASE = "redis-rb hiredis"
VALUE = "0123456789abcdef" * 4
PROCESSORS = Etc.nprocessors

def now = Process.clock_gettime(Process::CLOCK_MONOTONIC)
def processor = Process.clock_gettime(Process::CLOCK_PROCESS_CPUTIME_ID)

def median(numbers) = numbers.sort[numbers.size / 2]

# A redis-server on a free port, gone with the race.
def server
  port = TCPServer.open("127.0.0.1", 0) { |probe| probe.addr[1] }
  pipe = IO.popen(["redis-server", "--port", port.to_s, "--bind", "127.0.0.1", "--save", "", "--dir", Dir.tmpdir])
  abort "redis-server did not start" unless pipe.each_line.any? { |line| line.include?("Ready to accept") }
  at_exit { Process.kill("TERM", pipe.pid) }
  [port, pipe.pid]
end

# One caller and the server on one processor, many on all: see docs/decisions.
def share_processors(threads, *processes)
  which = threads == 1 ? (PROCESSORS - 1).to_s : "0-#{PROCESSORS - 1}"
  processes.each { |pid| system("taskset", "-pc", which, pid.to_s, out: File::NULL, exception: true) }
end

# Repeats an operation in threads for a slice, which begins when all of them are there: operations
# in a second, and processor time of each.
def race(client, threads, operation)
  stop = nil
  begins = Queue.new
  counts = Array.new(threads) do
    Thread.new do
      begins.pop
      count = 0
      (operation.call(client) && count += 1) while now < stop
      count
    end
  end
  before = [now, processor]
  stop = before[0] + SLICE
  begins.close
  done = counts.sum(&:value).to_f
  [done / (now - before[0]), (processor - before[1]) / done * 1e6]
end

port, redis = server
make = {
  "redis-rb ruby" => -> { Redis.new(host: "127.0.0.1", port:, driver: :ruby) },
  BASE => -> { Redis.new(host: "127.0.0.1", port:, driver: :hiredis) },
  "steadis" => -> { Steadis.connect("redis://127.0.0.1:#{port}") }
}
clients = make.transform_values(&:call)
clients["steadis"].pipelined do |p|
  p.set("string", VALUE).set("large", "x" * 16_384)
  100.times { |i| p.hset("hash", "field:#{i}", "value:#{i}") }
  1000.times { |i| p.rpush("list", "element number #{i}") }
end

get = ->(client) { client.get("string") }
races = {
  "GET, 1 thread" => [1, get],
  "GET, 8 threads" => [8, get],
  "GET, 64 threads" => [64, get],
  "GET of 16 KiB" => [1, ->(client) { client.get("large") }],
  "pipeline of 100 SET" => [1, ->(client) { client.pipelined { |p| 100.times { p.set("string", VALUE) } } }],
  "HGETALL of 100" => [1, ->(client) { client.hgetall("hash") }],
  "LRANGE of 1000" => [1, ->(client) { client.lrange("list", 0, -1) }]
}

puts "ratio = operations per second against #{BASE}; µs = processor time of an operation in this process"
races.each do |name, (threads, operation)|
  next if ARGV.any? && !name.include?(ARGV.first)

  share_processors(threads, redis, Process.pid)
  clients.each_value { |client| race(client, threads, operation) }
  rounds = Array.new(ROUNDS) { clients.transform_values { |client| race(client, threads, operation) } }
  puts name
  clients.each_key do |contender|
    ratio = median(rounds.map { |round| round[contender][0] / round[BASE][0] })
    cost = median(rounds.map { |round| round[contender][1] })
    puts format("  %-18<contender>s %6.2<ratio>f  %8.1<cost>f µs", contender:, ratio:, cost:)
  end
end
