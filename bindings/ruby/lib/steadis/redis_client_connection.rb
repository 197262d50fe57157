# frozen_string_literal: true

require "redis_client/ruby_connection"
require "delegate"
require "steadis/resolvers"

module Steadis
  # A driver of redis-client whose connections lead to the primary and end with it:
  # `RedisClient.config(driver: :steadis)`, also for redis-rb 5, Sidekiq 7 and Rails. The deployment
  # is that of the environment, or of `custom: { steadis: { … } }`.
  class RedisClientConnection < RedisClient::RubyConnection
    # A configuration with the address of the primary in it.
    class Located < SimpleDelegator
      attr_reader :host, :port, :path

      def initialize(config, primary)
        super(config)
        @host = primary.host
        @port = primary.port
        @path = primary.path
      end
    end
    private_constant :Located

    def initialize(config, **timeouts)
      @origin = config
      @resolver = Resolvers.of(config.custom&.fetch(:steadis, nil))
      super
    end

    # A connection to a node that is not the primary any more is as good as lost. While a failover
    # is announced this is so too: the next one waits for its end.
    def connected? = super && @resolver.current?(@primary.epoch)

    # A connection that is lost in any of these has the primary looked for at once.
    def write(command) = watched { super }
    # @see #write
    def write_multi(commands) = watched { super }

    # @see #write
    def read(timeout = nil)
      reply = watched { super }
      @resolver.report(@primary, reply.message) if reply.is_a?(RedisClient::CommandError)
      reply
    end

    private

    def connect
      @primary = @resolver.primary
      @config = Located.new(@origin, @primary)
      watched do
        super
        check
      end
    rescue UnavailableError => e
      raise RedisClient::CannotConnectError, e.message
    end

    # A node's own word, on the very connection that will be used. It may want to know first who
    # asks, so the client's greeting goes before; that one will repeat it.
    def check
      *, role = call_pipelined([*@origin.connection_prelude, ["ROLE"]], nil)
      return if role.first == "master"

      close
      raise RedisClient::FailoverError, "#{@primary.address} is not the primary any more"
    end

    def watched
      yield
    rescue RedisClient::TimeoutError
      raise
    rescue RedisClient::ConnectionError
      @resolver.report(@primary)
      raise
    end
  end
end
