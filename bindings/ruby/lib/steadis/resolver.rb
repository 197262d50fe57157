# frozen_string_literal: true

module Steadis
  # Who is primary, for programs that keep a client library of their own.
  class Resolver
    # A primary: how to reach it from here, and its epoch. Connections of an older epoch are to be
    # closed.
    Primary = Struct.new(:address, :epoch) do
      # The host, without the brackets of IPv6; +nil+ for a socket of this machine.
      def host = address.start_with?("/") ? nil : address[/\A\[?(.*?)\]?:\d+\z/, 1]
      # The port; +nil+ for a socket of this machine.
      def port = address[/:(\d+)\z/, 1]&.to_i
      # The socket of this machine; +nil+ where a host is.
      def path = address.start_with?("/") ? address : nil
    end

    # A resolver of what arguments, URL and environment describe.
    # @return [Resolver]
    def self.new(url = nil, **options) = _open(url, options)

    # The primary, now or within +timeout+ seconds (else the option +failover_timeout+).
    def primary(timeout: nil) = Primary.new(*_primary(timeout))

    # Whether connections of this epoch still lead to the primary.
    def current?(epoch) = _current == epoch

    # What is known of the deployment now.
    def topology = Topology.of(_topology)

    # How the deployment fares, without asking anybody.
    def health = Health.of(_health)

    # Says that a connection to this primary met trouble: the primary is looked for at once. With
    # the server's error as +line+, only if that is what a node says that is no primary.
    def report(primary, line = nil)
      line ? _report_error(primary.epoch, line) : _report(primary.epoch)
    end

    # Calls the block with each new Primary, or with +nil+ when it is lost, in a thread of its own.
    def on_change(&block)
      @dispatcher ||= Dispatcher.new(self)
      @dispatcher.add("primary", lambda { |event|
        block.call(event.details.empty? ? nil : Primary.new(*event.details.values_at(:address, :epoch)))
      })
    end

    # Ends the watch.
    def close
      @dispatcher&.stop
      _close
    end
  end
end
