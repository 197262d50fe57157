# frozen_string_literal: true

module Steadis
  # A client for any number of threads and fibers. It touches the network at its first command, or
  # by #ready.
  class Client
    include Compatible::Commands
    include Compatible::Replies

    # What Steadis.connect returns.
    # @return [Client]
    def self.new(url = nil, **options) = _open(url, options)

    # Waits until the primary is verified.
    # @param timeout [Numeric, nil] seconds, instead of the option +failover_timeout+
    # @return [self]
    # @raise [UnavailableError] if there is none in time
    def ready(timeout: nil)
      _ready(timeout)
      self
    end

    # The same client with other options for each call: +timeout+, +retry_writes+.
    def options(**options) = _options(options)

    # The same client, reading from replicas: +policy+, +max_lag+.
    def replica(**options) = _replica(options)

    # Itself, so that it can stand where a pool is expected.
    def with = yield(self)
    alias then with

    # Sends what the block queues in one go, and returns the replies. The first error is raised,
    # or with +exception: false+ each stands in its place.
    #
    # @example
    #   redis.pipelined { |pipeline| pipeline.incr("a").incr("b") } # => [1, 1]
    # @yieldparam pipeline [Pipeline]
    # @return [Array]
    def pipelined(exception: true)
      yield(pipeline = Pipeline.new)
      _send(pipeline, false, exception)
    end

    # Runs what the block queues together or not at all, and returns the replies.
    #
    # @yieldparam transaction [Pipeline]
    # @return [Array]
    def multi(exception: true)
      yield(transaction = Pipeline.new)
      _send(transaction, true, exception)
    end

    # Calls the block with a view to read the watched keys and a transaction to queue in, then runs
    # that. All again as long as somebody else changes the keys in between; a failover counts as a
    # change. Returns the replies of what was queued.
    #
    # @example
    #   redis.watch("stock") do |view, transaction|
    #     transaction.set("stock", view.get("stock").to_i - 1)
    #   end
    # @yieldparam view [View]
    # @yieldparam transaction [Pipeline]
    # @return [Array]
    def watch(*keys)
      view = _watch(keys.flatten)
      loop do
        view._begin
        transaction = Pipeline.new
        begin
          yield(view, transaction)
        rescue Error
          view._lost? ? next : raise
        end
        replies = view._commit(transaction)
        return replies if replies
      end
    ensure
      view&._end
    end

    # A Lua script, to be called with +keys+ and +args+. It survives failover.
    # @return [Script]
    def script(source) = Script.new(self, _script(source))

    # Messages, and gaps where some may have been missed; they survive failover. With a block, each
    # is handed over until #unsubscribe or +break+; a block whose parameter is called +on+ is set
    # up as in redis-rb. Without one, a Subscription, which is an Enumerable.
    #
    # @example
    #   redis.subscribe("news") { |incoming| puts incoming.data if incoming.is_a?(Steadis::Message) }
    # @example as in redis-rb
    #   redis.subscribe("news") { |on| on.message { |channel, data| puts data } }
    # @yieldparam incoming [Message, Gap, On]
    # @return [Subscription, nil]
    def subscribe(*channels, patterns: [], shards: [], &block)
      subscription = _subscription.subscribe(*channels).psubscribe(*patterns).ssubscribe(*shards)
      block ? listen(subscription, nil, &block) : subscription
    end

    # The same for patterns.
    def psubscribe(*patterns, &) = subscribe(patterns:, &)
    # The same for channels of shards (Redis 7).
    def ssubscribe(*channels, &) = subscribe(shards: channels, &)

    # The same until nothing has come for +timeout+ seconds.
    def subscribe_with_timeout(timeout, *channels, &) = listen(_subscription.subscribe(*channels), timeout, &)
    # The same for patterns.
    def psubscribe_with_timeout(timeout, *patterns, &) = listen(_subscription.psubscribe(*patterns), timeout, &)

    # Inside the block of a subscription: ends it for these channels, or for all.
    %i[unsubscribe punsubscribe sunsubscribe].each do |name|
      define_method(name) do |*names|
        subscription = Thread.current[:steadis_subscription]
        raise UsageError, "#{name} ends what the block of subscribe began: call it there" unless subscription

        subscription.public_send(name, *names)
      end
    end

    # All keys, fetched page by page; an Enumerator without a block.
    def scan_each(**options, &) = each_element("scan", [], options, &)
    # All pairs of field and value of a hash.
    def hscan_each(key, **options, &) = each_element("hscan", [key], options, &)
    # All members of a set.
    def sscan_each(key, **options, &) = each_element("sscan", [key], options, &)
    # All pairs of member and score of a sorted set.
    def zscan_each(key, **options, &) = each_element("zscan", [key], options, &)

    # What is known of the deployment now.
    def topology = Topology.of(_topology)

    # How the deployment fares, without asking anybody.
    def health = Health.of(_health)

    # Figures since this client was made; +format: "prometheus"+ gives its text.
    def stats(format: nil)
      return _stats if format.nil?
      return _prometheus if format.to_s == "prometheus"

      raise UsageError, "#{format.inspect} is no format of stats; leave it out, or write \"prometheus\""
    end

    # Which variable or argument supplied each setting, passwords cut.
    def explain = Explanation.new(*_explain)

    # The names of events.
    EVENTS = %w[failover hold resume sentinel replicas warning].freeze

    # Calls the block with each event of this name, in a thread of its own; what it returns is for
    # #off.
    # @yieldparam event [Event]
    # @raise [UsageError] if there is no event of this name
    def on(name, listener = nil, &block)
      unless EVENTS.include?(name.to_s)
        raise UsageError, "there is no event #{name.inspect}; there are #{EVENTS.join(", ")}"
      end

      (@dispatcher ||= Dispatcher.new(self)).add(name.to_s, listener || block)
    end

    # Stops what #on began.
    def off(name, listener)
      @dispatcher&.remove(name.to_s, listener)
      self
    end

    # Ends all connections. Calls that wait end with an error, as do later ones.
    def close
      @dispatcher&.stop
      _close
    end
    alias quit close
    alias disconnect! close

    def dup = raise(UsageError, "a client is used by all threads as it is: there is no need to copy it")
    alias clone dup

    private

    def listen(subscription, timeout, &block)
      outer = Thread.current[:steadis_subscription]
      Thread.current[:steadis_subscription] = subscription
      listener = block.parameters.first&.last == :on ? listen_on(subscription, block) : block
      until subscription.wanted.empty?
        incoming = subscription.next_event(timeout)
        break unless incoming

        listener.call(incoming)
      end
    ensure
      Thread.current[:steadis_subscription] = outer
      subscription.close
    end

    def listen_on(subscription, block)
      block.call(on = On.new)
      subscription.ready
      told = []
      tell = lambda { |incoming|
        on.heard(incoming) if incoming
        on.changed(told, told = subscription.wanted) until told == subscription.wanted
      }
      tell.call(nil)
      tell
    end

    def each_element(command, args, options, &block)
      return to_enum(:each_element, command, args, options) unless block

      scan = _scan(command, args, options)
      while (page = _scan_page(scan))
        page.each(&block)
      end
    end
  end
end
