'use strict'
// Callbacks as the last argument, as ioredis has them beside its promises.

/** Takes the callback off the arguments. */
const taken = (args) => typeof args[args.length - 1] === 'function' ? args.pop() : undefined

/** Calls a callback. What it throws is nothing that a promise could tell anybody. */
function called (listener, ...args) {
  try {
    listener(...args)
  } catch (error) {
    process.nextTick(() => { throw error })
  }
}

/** Tells a callback what comes of a promise, or the caller if there is none. */
function tell (promise, callback) {
  if (callback === undefined) return promise
  return promise.then((reply) => {
    called(callback, null, reply)
    return reply
  }, (error) => called(callback, error))
}

module.exports = { called, taken, tell }
