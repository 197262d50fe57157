'use strict'
// The same client strictly as the one library has it, or as the other.

/** Adds `asIORedis` and `asNodeRedis` to a class of clients. */
function addViews (Client) {
  /** Replies of batches are pairs `[error, reply]`, and there is nothing of node-redis to be found. */
  Client.prototype.asIORedis = function () {
    const client = Object.create(this, { _isIORedis: { value: true } })
    return without(client, ['scanIterator', 'pSubscribe', 'sSubscribe', 'isOpen', 'isReady'])
  }

  /** Keys of `scanIterator` come in batches, and there is nothing of ioredis to be found. */
  Client.prototype.asNodeRedis = function () {
    const scanIterator = async function * (options) {
      for await (const key of Client.prototype.scanIterator.call(this, options)) yield [String(key)]
    }
    const client = Object.create(this, { scanIterator: { value: scanIterator } })
    return without(client, ['defineCommand', 'psubscribe', 'scanStream', 'send_command'])
  }
}

/** Libraries look for methods to know whose client it is. */
function without (client, names) {
  const hidden = new Set(names)
  return new Proxy(client, {
    has: (target, name) => !hidden.has(name) && name in target,
    get: (target, name) => hidden.has(name) ? undefined : Reflect.get(target, name)
  })
}

module.exports = { addViews }
