# frozen_string_literal: true

module Steadis
  # One resolver for each deployment, shared by all connections of other clients.
  module Resolvers
    @all = {}
    @lock = Mutex.new

    # That of these options, or of the environment.
    def self.of(options)
      key = options || {}
      @lock.synchronize { @all[key] ||= Resolver.new(**key) }
    end
  end
  private_constant :Resolvers
end
