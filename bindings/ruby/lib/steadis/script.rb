# frozen_string_literal: true

module Steadis
  # A Lua script. The server knows it by its digest, and is told its source where it does not.
  class Script
    def initialize(client, native)
      @client = client
      @native = native
    end

    # What EVALSHA calls it.
    def sha = @native.digest

    # Runs it, or queues it if +on+ is a pipeline.
    def call(keys: nil, args: nil, on: @client)
      on._run_script(@native, keys, args)
    end

    # Tells scripts apart.
    def inspect = "#<Steadis::Script #{sha}>"
  end
end
