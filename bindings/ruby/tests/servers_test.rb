# frozen_string_literal: true

require "fileutils"
require "net/http"

# Servers that load the application once and fork their workers from it, through a failover.
class ServersTest < Test
  def setup
    super
    @lab = Lab.new
    # Servers leave logs beside the site.
    @site = Dir.mktmpdir
    FileUtils.cp("#{__dir__}/site/config.ru", @site)
    @port = TCPServer.open("127.0.0.1", 0) { |probe| probe.addr[1] }
  end

  def teardown
    stop("TERM") if @server
    FileUtils.rm_rf(@site)
    super
  end

  # Starts a server of two workers, whose first answer is awaited.
  def start(*line, settings: nil)
    if settings
      File.write("#{@site}/settings.rb", settings)
      line += ["-c", "settings.rb"]
    end
    environment = @lab.env.merge("RUBYLIB" => $LOAD_PATH.first(2).join(":"), "RACK_ENV" => "production")
    @server = Processes.start(environment, *line, chdir: @site)
    eventually("an answer", within: 30) { ask }
  end

  # The worker that has answered, and what it said; nothing if nobody did.
  def ask
    http = Net::HTTP.new("127.0.0.1", @port)
    # By itself it would ask twice.
    http.max_retries = 0
    pid, said = http.get("/").body.split
    [pid.to_i, said]
  rescue Errno::ECONNREFUSED, Errno::ECONNRESET, EOFError
    nil
  end

  # Workers that answer, as soon as there are two of them, none of which was there before.
  def workers(but: [])
    seen = []
    eventually("two workers", within: 30) do
      # Several at once, for a server may give all it can to one.
      answers = Array.new(4) { Thread.new { ask } }.filter_map(&:value)
      (seen = (seen | answers.map(&:first)) - but).size == 2
    end
    seen
  end

  def stop(signal)
    Process.kill(signal, @server.pid)
    @server.read
    @server.close
    $?
  ensure
    @server = nil
  end

  # Every request is answered throughout, and all workers count together afterwards. Returns them.
  def through_a_failover
    over = false
    asking = Array.new(8) do
      Thread.new do
        answers = []
        answers << ask until over
        answers
      end
    end
    since = Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond)
    @lab.do("failover")
    %w[promoted +failover-end].each do |event|
      @lab.do("wait", until: { event: { event:, since: } }, timeout_ms: 20_000)
    end
    seen = workers
    over = true
    refute_includes asking.flat_map(&:value), nil
    counts = Array.new(50) { ask.last.to_i }
    assert_equal Array.new(50) { |it| counts.first + it }, counts
    assert_equal [counts.last.to_s, "1"], @lab.do("call", name: "primary", command: %w[MGET hits loaded])["reply"]
    seen
  end

  def test_puma
    start("puma", "-b", "tcp://127.0.0.1:#{@port}", "-w", "2", "-t", "4:4", "--preload", "config.ru")
    before = workers
    assert_equal before.sort, through_a_failover.sort, "a worker has died"
    # What is forked now inherits a client that knows the old primary alone.
    before.each { |pid| Process.kill("KILL", pid) }
    workers(but: before)
    assert_predicate stop("INT"), :success?
  end

  def test_unicorn
    settings = "worker_processes 2\npreload_app true\nlisten '127.0.0.1:#{@port}'\n"
    start("unicorn", "config.ru", settings:)
    before = workers
    assert_equal before.sort, through_a_failover.sort, "a worker has died"
    before.each { |pid| Process.kill("KILL", pid) }
    workers(but: before)
    assert_predicate stop("QUIT"), :success?
  end

  def test_passenger
    start("passenger", "start", "--engine", "builtin", "--address", "127.0.0.1", "--port", @port.to_s,
          "--spawn-method", "smart", "--min-instances", "2", "--max-pool-size", "2",
          "--disable-security-update-check", "--disable-anonymous-telemetry", "--environment", "production")
    workers
    through_a_failover
    stop("TERM")
  end
end
