# frozen_string_literal: true

module Steadis
  # Messages, and gaps where some may have been missed. For one thread at a time.
  class Subscription
    include Enumerable

    # Wants these channels too.
    def subscribe(*channels) = change("channel", channels, true)
    # Wants what matches these patterns too.
    def psubscribe(*patterns) = change("pattern", patterns, true)
    # Wants these channels of shards too (Redis 7).
    def ssubscribe(*channels) = change("shard", channels, true)
    # Wants these channels no more; all of them, if none is named.
    def unsubscribe(*channels) = change("channel", channels, false)
    # Wants these patterns no more; all of them, if none is named.
    def punsubscribe(*patterns) = change("pattern", patterns, false)
    # Wants these channels of shards no more; all of them, if none is named.
    def sunsubscribe(*channels) = change("shard", channels, false)

    # Waits until every channel is confirmed.
    def ready
      _ready
      self
    end

    # The next message or gap; +nil+ if nothing comes within +timeout+ seconds.
    def next_event(timeout = nil) = _next(timeout)

    # All that comes, until nothing is wanted any more.
    def each
      return to_enum unless block_given?

      yield _next(nil) until wanted.empty?
      self
    end

    # The channels, patterns and channels of shards that are wanted, each with what it is.
    def wanted = (@wanted ||= [].freeze)

    private

    def change(by, names, wanting)
      names = names.flatten.map(&:to_s)
      names = wanted.filter_map { |kind, name| name if kind == by } if names.empty? && !wanting
      _change(by, names, wanting)
      pairs = names.map { |name| [by, name] }
      @wanted = (wanting ? wanted | pairs : wanted - pairs).freeze
      self
    end
  end

  # What a block whose parameter is called +on+ is given: redis-rb's way to listen.
  class On
    def initialize = @handlers = {}

    %i[message pmessage subscribe psubscribe ssubscribe unsubscribe punsubscribe sunsubscribe gap].each do |name|
      define_method(name) { |&handler| @handlers[name] = handler }
    end

    # Calls the handler of this name, if there is one.
    def tell(name, *details) = @handlers[name]&.call(*details)

    # Calls the handler for what has come.
    def heard(incoming)
      case incoming
      in Gap then tell(:gap, incoming)
      in Message[channel, nil, data] then tell(:message, channel, data)
      in Message[channel, pattern, data] then tell(:pmessage, pattern, channel, data)
      end
    end

    # Calls the handlers for channels that are wanted now, or no more.
    def changed(before, now)
      (now - before).each_with_index { |(by, name), index| tell(SUBSCRIBED[by], name, before.size + index + 1) }
      (before - now).each_with_index { |(by, name), index| tell(UNSUBSCRIBED[by], name, before.size - index - 1) }
    end

    SUBSCRIBED = { "channel" => :subscribe, "pattern" => :psubscribe, "shard" => :ssubscribe }.freeze
    UNSUBSCRIBED = { "channel" => :unsubscribe, "pattern" => :punsubscribe, "shard" => :sunsubscribe }.freeze
    private_constant :SUBSCRIBED, :UNSUBSCRIBED
  end
end
