# frozen_string_literal: true

module Steadis
  # Tells listeners what happens, in a thread of their own.
  class Dispatcher
    @all = ObjectSpace::WeakMap.new

    class << self
      attr_reader :all
    end

    def initialize(source)
      # Weak: the thread must not keep a client alive that nobody uses any more.
      @source = WeakRef.new(source)
      @listeners = []
      Dispatcher.all[self] = true
      start
    end

    # Calls +listener+ with what has this name.
    def add(name, listener)
      @listeners += [[name, listener]]
      listener
    end

    # Stops what #add began.
    def remove(name, listener)
      @listeners -= [[name, listener]]
    end

    # Ends the thread.
    def stop
      thread = @thread
      @thread = nil
      @source._unlisten(@id) if @id && @source.weakref_alive?
      thread&.kill unless thread == Thread.current
    end

    # After a fork: the thread has stayed with the parent, and its pipe is the parent's.
    def start
      return if !@source.weakref_alive? || @source.closed?

      # What a child has inherited would ring at the parent.
      @source._unlisten(@id) if @id
      events = Events.new
      @id = @source._listen(events)
      @thread = Thread.new { run(events) }
      @thread.name = "steadis-events"
    end

    private

    def run(events)
      pipe = IO.for_fd(events.descriptor, autoclose: false)
      while @source.weakref_alive?
        pipe.wait_readable
        events.take.each { |name, details| tell(Event.new(name.to_s, details)) }
      end
    end

    # One that fails does not hurt the others.
    def tell(event)
      @listeners.each do |name, listener|
        listener.call(event) if name == event.name
      rescue StandardError => e
        Steadis.logger&.error("steadis: the listener #{listener.inspect} has failed: #{e.full_message}")
      end
    end
  end
  private_constant :Dispatcher
end

require "weakref"
require "io/wait"
