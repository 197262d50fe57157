# frozen_string_literal: true

require "minitest"
require "json"
require "socket"
require "tmpdir"
require "timeout"
require "steadis"

TREE = File.expand_path("../../..", __dir__)

# Servers for tests: on loopback, on free ports, ended with the tests.
module Processes
  @all = []

  class << self
    def start(*line, **options)
      pipe = IO.popen(line, "r+", err: File::NULL, pgroup: true, **options)
      @all << [Process.pid, pipe]
      pipe
    end

    # A forked child leaves its parent's servers alone.
    def stop
      @all.each do |owner, pipe|
        next if owner != Process.pid || pipe.closed?

        pipe.close_write
        Process.kill("TERM", pipe.pid)
        pipe.close
      rescue Errno::ESRCH
        next
      end
    end
  end
end
Minitest.after_run { Processes.stop }

# A redis-server.
class Server
  attr_reader :port, :url, :pid

  # One for all tests that do not mind sharing it.
  def self.shared = @shared ||= new

  def initialize(*options)
    @port = TCPServer.open("127.0.0.1", 0) { |probe| probe.addr[1] }
    @url = "redis://127.0.0.1:#{@port}"
    pipe = Processes.start("redis-server", "--port", @port.to_s, "--bind", "127.0.0.1", "--save", "",
                           "--dir", Dir.tmpdir, *options)
    raise "redis-server did not start" unless pipe.each_line.any? { |line| line.include?("Ready to accept") }

    @pid = pipe.pid
  end
end

# A primary, two replicas and three Sentinels; verbs do things to them.
class Lab
  attr_reader :env

  def initialize(*options)
    @pipe = Processes.start("#{TREE}/target/release/steadis", "lab", "serve", "--down-after", "1500ms", *options)
    @env = line["environment"]
  end

  # What the lab answers; events on the way are left out.
  def do(verb, **arguments)
    @pipe.puts(JSON.generate(id: 1, verb:, **arguments))
    said = line until said&.key?("id")
    raise said["error"] if said.key?("error")

    said["result"]
  end

  # What a client takes as keywords.
  def options = { sentinels: env["REDIS_SENTINEL_LIST"], primary_name: env["REDIS_SENTINEL_MASTER"] }

  def stop
    @pipe.close
  end

  private

  def line = JSON.parse(@pipe.gets || raise("the lab has ended"))
end

# What tests have in common.
class Test < Minitest::Test
  # A client of the shared server, which is empty.
  attr_reader :redis

  def setup
    @redis = Steadis.connect(Server.shared.url)
    @redis.call("FLUSHALL")
  end

  # No test waits for ever.
  def run
    Timeout.timeout(60) { super }
  end

  def teardown
    @redis.close
    @lab&.stop
  end

  # Ruby code in a process of its own: what it writes, and its status.
  def ruby(source, *args)
    load_path = $LOAD_PATH.first(3).flat_map { |it| ["-I", it] }
    out = IO.popen([RbConfig.ruby, *load_path, "-rsteadis", "-e", source, *args], err: %i[child out], &:read)
    [out, $?]
  end

  # Until it holds; a test that waits in vain fails.
  def eventually(what, within: 10)
    limit = now + within
    until yield
      flunk "#{what} did not come" if now > limit
      Thread.pass
    end
  end

  def now = Process.clock_gettime(Process::CLOCK_MONOTONIC)

  # How many clients wait on the server in a blocking command.
  def blocked(client) = client.call("INFO", "clients")[/blocked_clients:(\d+)/, 1].to_i
end
