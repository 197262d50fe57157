# frozen_string_literal: true

# The driver of redis-client against the interface that its documentation gives to drivers, played
# by a stand-in that opens real sockets.
class DriverTest < Test
  STAND_IN = <<~'RUBY'
    require "socket"
    class RedisClient
      Error = Class.new(StandardError)
      ConnectionError = Class.new(Error)
      CannotConnectError = Class.new(ConnectionError)
      TimeoutError = Class.new(ConnectionError)
      CommandError = Class.new(Error)
      DRIVERS = {}
      def self.register_driver(name, &make) = DRIVERS[name] = make

      class RubyConnection
        def initialize(config, connect_timeout:, read_timeout:, write_timeout:)
          @config = config
          connect
        end
        def connected? = !@io.closed?
        def close = @io.close
        def reconnect = close && connect
        def write(command)
          @io.write("*#{command.size}\r\n", *command.map { |it| "$#{it.to_s.bytesize}\r\n#{it}\r\n" })
        rescue SystemCallError, IOError => e
          raise ConnectionError, e.message
        end
        def read(_timeout = nil)
          line = @io.gets("\r\n", chomp: true) or raise ConnectionError, "gone"
          line.start_with?("-") ? CommandError.new(line[1..]) : line[1..]
        rescue SystemCallError, IOError => e
          raise ConnectionError, e.message
        end
        def connect
          @io = TCPSocket.new(@config.host, @config.port)
        rescue SystemCallError => e
          raise CannotConnectError, e.message
        end
      end
    end
    $LOADED_FEATURES << "redis_client.rb" << "redis_client/ruby_connection.rb"
    def require(name) = name.start_with?("redis_client") ? false : super
  RUBY

  def test_connections_lead_to_the_primary_and_end_with_it
    @lab = Lab.new
    program = <<~'RUBY'
      require "steadis/redis_client"
      require "json"
      Config = Struct.new(:custom, :host, :port, :path)
      options = JSON.parse(ARGV[0], symbolize_names: true)
      driver = RedisClient::DRIVERS.fetch(:steadis).call
      config = Config.new({ steadis: options }, "mymaster", 0)
      make = -> { driver.new(config, connect_timeout: 1, read_timeout: 1, write_timeout: 1) }
      connection = make.call
      connection.write(["SET", "k", "v"])
      $stdout.sync = true
      puts connection.read
      $stdin.gets
      begin
        connection.write(["SET", "k", "w"])
        puts connection.read.class
      rescue RedisClient::ConnectionError => e
        puts "lost"
      end
      fresh = make.call
      fresh.write(["SET", "k", "w"])
      puts fresh.read, connection.connected?, fresh.connected?
    RUBY
    load_path = $LOAD_PATH.first(3).flat_map { |it| ["-I", it] }
    line = [RbConfig.ruby, "-W0", *load_path, "-rsteadis", "-e", STAND_IN + program, JSON.generate(@lab.options)]
    IO.popen(line, "r+") do |child|
      assert_equal "OK\n", child.gets
      @lab.do("kill", name: "primary")
      child.puts
      assert_equal "lost\nOK\nfalse\ntrue\n", child.read
    end
  end
end
