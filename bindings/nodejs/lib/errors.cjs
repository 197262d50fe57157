'use strict'
// One class for each kind of error, which answers: what do I do now?

/** The base of all errors of this package. */
class SteadisError extends Error {
  /** @type {string} the kind, the same word in every language */
  kind
  /** The same call can succeed later, and cannot run a write twice. */
  retryable = false
  /** A write was sent, and whether it ran is unknown. */
  maybeExecuted = false

  constructor (message, kind = 'Usage') {
    super(message)
    this.kind = kind
    Object.defineProperty(this, 'name', { value: this.constructor.name, configurable: true, writable: true })
  }
}

/** Settings are wrong or missing: fix the one the message names. */
class ConfigError extends SteadisError {}
/** The call is wrong, in its arguments or its moment: fix the call. */
class UsageError extends SteadisError {}
/** No verified primary within the deadline; the command did not run: try again later. */
class UnavailableError extends SteadisError {}
/** The deadline passed before the command was sent, or while it only read; no write ran. */
class TimeoutError extends SteadisError {}
/** A write was sent and its answer never came: look, or repeat it if that does no harm. */
class MaybeExecutedError extends SteadisError {}
/** Credentials or rights were refused; the message says by which side. */
class AuthError extends SteadisError {}
/** The server's own error, word for word, with its `code`. */
class ServerError extends SteadisError {}
/** One of our limits is reached: slow down. */
class BusyError extends SteadisError {}
/** The client was closed. */
class ClosedError extends SteadisError {}
/** A mistake of ours; the process lives on: report it. */
class InternalError extends SteadisError {}

const classes = {
  Config: ConfigError,
  Usage: UsageError,
  Unavailable: UnavailableError,
  Timeout: TimeoutError,
  MaybeExecuted: MaybeExecutedError,
  Auth: AuthError,
  Server: ServerError,
  Busy: BusyError,
  Closed: ClosedError,
  Internal: InternalError
}

/** Makes the error that the native part describes. */
function makeError (kind, message, code, command, address, retryable) {
  // ioredis says it in these words, and libraries compare them.
  const error = new classes[kind](kind === 'Closed' ? 'Connection is closed.' : message, kind)
  if (code !== undefined) error.code = code
  if (command !== undefined) error.command = command
  if (address !== undefined) error.address = address
  error.retryable = retryable
  error.maybeExecuted = kind === 'MaybeExecuted'
  return error
}

/** An error of a call that is wrong by itself. */
const usage = (message) => new UsageError(message, 'Usage')

/** What a call gets once the client is closed. */
const closed = () => makeError('Closed', '', undefined, undefined, undefined, false)

module.exports = {
  makeError,
  usage,
  closed,
  classes: {
    SteadisError,
    ConfigError,
    UsageError,
    UnavailableError,
    TimeoutError,
    MaybeExecutedError,
    AuthError,
    ServerError,
    BusyError,
    ClosedError,
    InternalError
  }
}
