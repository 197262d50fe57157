# frozen_string_literal: true

require "steadis/errors"
require "steadis.so"
require "steadis/values"
require "steadis/dispatcher"
require "steadis/fork"
require "steadis/compatible"
require "steadis/pipeline"
require "steadis/script"
require "steadis/subscription"
require "steadis/client"
require "steadis/resolver"

# One Redis connection that stays up through failover.
module Steadis
  # A client of what arguments, URL and environment describe, in this order of precedence.
  # A block gets the client, which is closed after it.
  #
  # @example
  #   redis = Steadis.connect
  #   redis.set("cart:7", "3 items", ex: 900)
  # @param url [String, nil] where to; the environment says so otherwise
  # @param options [Hash] every option of the configuration, spans of time in seconds
  # @return [Client, Object] the client, or what the block returns
  # @raise [ConfigError] if a setting is wrong or missing
  def self.connect(url = nil, **options)
    client = Client.new(url, **options)
    client._warnings.each { |warning| logger&.warn("steadis: #{warning}") }
    client.ready if client._eager?
    return client unless block_given?

    begin
      yield client
    ensure
      client.close
    end
  end

  class << self
    # Where warnings about settings go, and listeners that fail; nothing is said without one.
    attr_accessor :logger
  end

  # Their clients need not be there.
  autoload :RedisClientConnection, "steadis/redis_client_connection"
  autoload :RedisConnector, "steadis/redis_connector"
end

RedisClient.register_driver(:steadis) { Steadis::RedisClientConnection } if defined?(RedisClient)
