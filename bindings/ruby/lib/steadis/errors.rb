# frozen_string_literal: true

module Steadis
  # What every error of Steadis is. The classes answer "what do I do now?".
  class Error < StandardError
    # The server's code word, such as "WRONGTYPE"; the command that failed, by name only; the node.
    attr_reader :code, :command, :address

    def initialize(message = nil, retryable: false, maybe_executed: false, code: nil, command: nil, address: nil)
      super(message)
      @retryable = retryable
      @maybe_executed = maybe_executed
      @code = code
      @command = command
      @address = address
    end

    # The same call can succeed later, and calling it again cannot execute a write twice.
    def retryable? = @retryable
    # The command was sent, its answer never came: it may have run.
    def maybe_executed? = @maybe_executed
    # The name of the kind, the same in every language.
    def kind = self.class.kind

    # The same of a class.
    def self.kind = name[/\w+\z/].delete_suffix("Error")

    # What the native part calls.
    def self.of(kind, message, retryable, maybe_executed, code, command, address)
      Recognition.teach
      Steadis.const_get("#{kind}Error", false)
             .new(message, retryable:, maybe_executed:, code:, command:, address:)
    end
  end

  # Settings are wrong or missing: fix the one the message names.
  class ConfigError < Error; end

  # The call is wrong, in its arguments or its moment: fix the call.
  class UsageError < Error; end

  # No verified primary within the deadline; the command did not run: try again later.
  class UnavailableError < Error; end

  # The deadline passed before the command was sent, or while it only read; no write ran.
  class TimeoutError < Error; end

  # A write was sent and its answer never came: look, or repeat it if that does no harm. Rescuers
  # of connection errors do not get it: they would repeat it.
  class MaybeExecutedError < Error; end

  # Credentials or rights were refused; the message says by which side.
  class AuthError < Error; end

  # The server's own error, word for word.
  class ServerError < Error; end

  # One of our limits is reached: slow down.
  class BusyError < Error; end

  # The client was closed.
  class ClosedError < Error; end

  # A mistake of ours; the process lives on: report it.
  class InternalError < Error; end

  # Programs that move over rescue the classes of redis-client or redis-rb. If those are loaded,
  # they recognise ours, so that such a +rescue+ keeps its meaning.
  module Recognition
    # Which of our classes each of theirs recognises.
    THEIRS = {
      "RedisClient::Error" => [Error],
      "RedisClient::ConnectionError" => [UnavailableError, TimeoutError, ClosedError],
      "RedisClient::TimeoutError" => [TimeoutError],
      "RedisClient::CommandError" => [ServerError, AuthError],
      "RedisClient::AuthenticationError" => [AuthError],
      "Redis::BaseError" => [Error],
      "Redis::BaseConnectionError" => [UnavailableError, TimeoutError, ClosedError],
      "Redis::CannotConnectError" => [UnavailableError],
      "Redis::TimeoutError" => [TimeoutError],
      "Redis::CommandError" => [ServerError, AuthError]
    }.freeze
    @taught = {}

    # Looks again whenever an error is made: the other client may have been loaded meanwhile.
    def self.teach
      return if @taught.size == THEIRS.size

      THEIRS.each do |name, ours|
        next if @taught.key?(name) || !Object.const_defined?(name)

        theirs = Object.const_get(name)
        theirs.singleton_class.prepend(recogniser(theirs, ours))
        @taught[name] = true
      end
    end

    def self.recogniser(theirs, ours)
      Module.new do
        define_method(:===) { |error| super(error) || (equal?(theirs) && ours.any? { |it| it === error }) }
      end
    end
    private_class_method :recogniser
  end
  private_constant :Recognition
end
