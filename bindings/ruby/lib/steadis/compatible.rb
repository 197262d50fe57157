# frozen_string_literal: true

module Steadis
  # Names that redis-rb has besides those of the commands.
  module Compatible
    # Of clients, pipelines and views alike.
    module Commands
      # MSET of a Hash.
      def mapped_mset(pairs) = mset(pairs)
      # MSETNX of a Hash.
      def mapped_msetnx(pairs) = msetnx(pairs)
      # HSET of a Hash.
      def mapped_hmset(key, pairs) = hset(key, pairs)
    end

    # Of what answers at once.
    module Replies
      # Whether at least one of the keys exists.
      def exists?(*keys) = exists(*keys).positive?
      # The values by their keys.
      def mapped_mget(*keys) = keys.flatten.zip(mget(*keys)).to_h
      # The values by their fields.
      def mapped_hmget(key, *fields) = fields.flatten.zip(hmget(key, *fields)).to_h
    end
  end
end
