# frozen_string_literal: true

# A site whose one client is made and used before the server forks its workers.

require "steadis"

client = Steadis.connect
client.incr("loaded")

run lambda { |_env|
  answer = begin
    client.incr("hits").to_s
  rescue Steadis::MaybeExecutedError
    "doubt"
  end
  [200, { "Content-Type" => "text/plain" }, ["#{Process.pid} #{answer}"]]
}
