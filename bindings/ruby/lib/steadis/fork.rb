# frozen_string_literal: true

module Steadis
  # The core notices a fork by itself. Threads of Ruby's stay with the parent, so a child starts
  # its own for the listeners that it inherited.
  module Fork
    # Called by everything in Ruby that forks, but for #daemon.
    def _fork
      child = super
      Dispatcher.all.each_key(&:start) if child.zero?
      child
    end

    # Forks without a word.
    def daemon(...)
      super.tap { Dispatcher.all.each_key(&:start) }
    end
  end
  private_constant :Fork
  Process.singleton_class.prepend(Fork)
end
