# frozen_string_literal: true

module Steadis
  # A message of a channel; +pattern+ is the one that matched, if it came by one.
  Message = Struct.new(:channel, :pattern, :data)

  # The connection was lost and is back: what was published in between may have been missed.
  # Both in seconds since 1970.
  Gap = Struct.new(:since, :until)

  # A Sentinel, as seen from here: +says+ is the primary's address, or why it gave none.
  Sentinel = Struct.new(:address, :up, :says)

  # What is known of a deployment at one moment. +phase+ is "resolving", "ready", "fenced" (writes
  # wait) or "lost" (everything waits); +epoch+ grows with every primary that is accepted.
  Topology = Struct.new(:epoch, :phase, :primary, :replicas, :sentinels, :reason) do
    # Of what the core tells.
    def self.of(told)
      sentinels = told[:sentinels].map { |it| Sentinel.new(*it.values_at(*Sentinel.members)) }
      new(*told.merge(sentinels: sentinels).values_at(*members)).freeze
    end
  end

  # How a deployment fares: +state+ is "ready", "degraded", "failing_over" or "down".
  Health = Struct.new(:state, :primary, :replicas, :sentinels_up, :sentinels, :reason) do
    # Of what the core tells.
    def self.of(told) = new(*told.values_at(*members)).freeze

    # As text it is its state, and so it compares.
    def to_s = state
    # Compares with its state, too.
    def ==(other) = other.is_a?(String) ? state == other : super
  end

  # One setting, and who supplied it; passwords are "***".
  Setting = Struct.new(:name, :value, :source)

  # The settings of a client; +puts+ shows a table.
  class Explanation
    include Enumerable

    def initialize(table, rows)
      @table = table
      @rows = rows.map { |row| Setting.new(*row) }
    end

    # Every setting, in the order of the table.
    # @yieldparam setting [Setting]
    def each(&) = @rows.each(&)
    # The setting of this name.
    # @return [Setting, nil]
    def [](name) = @rows.find { |it| it.name == name.to_s }
    # The table.
    def to_s = @table
    # Passwords are cut everywhere, but nobody wants a table here.
    def inspect = "#<Steadis::Explanation of #{@rows.size} settings>"
  end

  # Something that happened around the commands; +details+ depend on its +name+.
  Event = Struct.new(:name, :details) do
    # One detail.
    # @raise [KeyError] if this event has none of this name
    def [](detail) = details.fetch(detail)
    # One line for a log.
    def to_s = "#{name}: #{details.map { |key, value| "#{key} #{value}" }.join(", ")}"
  end
end
