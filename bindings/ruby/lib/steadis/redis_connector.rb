# frozen_string_literal: true

require "redis"
require "steadis"
require "steadis/resolvers"

module Steadis
  # For redis-rb 4: `Redis.new(connector: Steadis::RedisConnector)` connects to the primary of the
  # environment's deployment, or of the options in `steadis: { … }`, and follows it.
  class RedisConnector
    def initialize(options)
      @options = options
      @resolver = Resolvers.of(options[:steadis])
    end

    # Where to connect. Whoever asks again has lost a connection, or could not make it.
    def resolve
      @resolver.report(@primary) if @primary
      @primary = @resolver.primary
      @options.merge(host: @primary.host, port: @primary.port, path: @primary.path).compact
    rescue UnavailableError => e
      raise Redis::CannotConnectError, e.message
    end

    # A node's own word, on the very connection that will be used.
    def check(client)
      return if client.call([:role]).first == "master"

      client.disconnect
      raise Redis::CannotConnectError, "#{@primary.address} is not the primary any more"
    end
  end
end
