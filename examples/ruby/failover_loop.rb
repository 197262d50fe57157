# frozen_string_literal: true

# Counts ten times a second, through any failover, and says what happened meanwhile.
# An argument ends it after so many rounds.

require "steadis"

rounds = Integer(ARGV.fetch(0, 1_000_000))
redis = Steadis.connect
redis.on(:failover) { |event| puts "primary is now #{event[:to]}, after #{(event[:took] * 1000).round} ms" }

rounds.times do
  begin
    puts redis.incr("counter")
  rescue Steadis::MaybeExecutedError
    puts "this one may have been counted or not: look before repeating it"
  end
  sleep 0.1
end
