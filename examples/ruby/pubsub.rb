# frozen_string_literal: true

# Listens, and notices where messages may have been missed.

require "steadis"

Steadis.connect do |redis|
  subscription = redis.subscribe("news").ready
  redis.publish("news", "hello")
  subscription.each do |incoming|
    case incoming
    in Steadis::Message[channel, _, data] then puts "#{channel}: #{data}"
    in Steadis::Gap[since, till] then puts "nothing is known of #{(till - since).round(1)} s: look again"
    end
    break
  end
  subscription.close
end
