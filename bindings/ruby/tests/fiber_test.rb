# frozen_string_literal: true

# A fiber that waits for a reply lets the others of its scheduler go on.
class FiberTest < Test
  # The least that Ruby asks of a scheduler.
  class Scheduler
    def initialize
      @ready = Thread::Queue.new
      @blocked = 0
    end

    def fiber(&)
      Fiber.new(blocking: false, &).tap(&:resume)
    end

    def block(_blocker, timeout = nil)
      raise "not needed here" if timeout

      @blocked += 1
      Fiber.yield
      true
    end

    def unblock(_blocker, fiber) = @ready << fiber
    def kernel_sleep(_duration = nil) = raise("not needed here")
    def io_wait(_io, _events, _timeout) = raise("not needed here")

    def close
      while @blocked.positive?
        fiber = @ready.pop
        @blocked -= 1
        fiber.resume
      end
    end
  end

  def test_fibers_wait_alone
    order = []
    client = redis
    Thread.new do
      Fiber.set_scheduler(Scheduler.new)
      Fiber.schedule { order << client.blpop("jobs", timeout: 0) }
      Fiber.schedule { order << :second && client.rpush("jobs", "x") }
      Fiber.schedule do
        client.hget("jobs", "field")
      rescue Steadis::ServerError => e
        order << e.code
      end
    end.join
    assert_equal :second, order.first
    assert_includes order, %w[jobs x]
    assert_equal "PONG", client.ping
  end
end
