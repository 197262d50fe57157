# frozen_string_literal: true

module Steadis
  # Commands in a row, not sent yet: what the blocks of Client#pipelined, Client#multi and
  # Client#watch are given. Each command returns the pipeline; the replies come with the block's end.
  class Pipeline
    include Compatible::Commands

    def empty? = length.zero?
    alias size length
  end

  # Reads the watched keys, on the connection that watches them.
  class View
    include Compatible::Commands
  end
end
