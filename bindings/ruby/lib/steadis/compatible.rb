# frozen_string_literal: true

module Steadis
  # Names that redis-rb has besides those of the commands.
  module Compatible
    # Of clients, pipelines and views alike.
    module Commands
      def mapped_mset(pairs) = mset(pairs)
      def mapped_msetnx(pairs) = msetnx(pairs)
      def mapped_hmset(key, pairs) = hset(key, pairs)
    end

    # Of what answers at once.
    module Replies
      def exists?(*keys) = exists(*keys).positive?
      def mapped_mget(*keys) = keys.flatten.zip(mget(*keys)).to_h
      def mapped_hmget(key, *fields) = fields.flatten.zip(hmget(key, *fields)).to_h
    end
  end
end
