'use strict'
// Callbacks as the last argument, as ioredis has them.

/** Takes the callback off the arguments. */
const taken = (args) => typeof args.at(-1) === 'function' ? args.pop() : undefined

/**
 * Tells a callback what comes of a promise, or returns the promise if there is none. A callback is
 * called out of the promise's reach: what it throws is thrown as by any callback, and a promise
 * that it returns is not ours.
 */
function tell (promise, callback) {
  if (callback === undefined) return promise
  promise.then((reply) => process.nextTick(callback, null, reply), (error) => process.nextTick(callback, error))
  return promise.catch(() => {})
}

module.exports = { taken, tell }
