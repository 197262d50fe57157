'use strict'
// The same client strictly as the one library has it, or as the other.

/** Adds `asIORedis` and `asNodeRedis` to a class of clients. */
function addViews (Client) {
  /** Replies of batches are pairs `[error, reply]`, and there is nothing of node-redis to be found. */
  Client.prototype.asIORedis = function () {
    const client = Object.create(this, { _isIORedis: { value: true } })
    return without(client, ['scanIterator', 'sScanIterator', 'hScanIterator', 'zScanIterator', 'pSubscribe', 'sSubscribe', 'isOpen', 'isReady'])
  }

  /** Keys of `scanIterator` and the like come in batches, and there is nothing of ioredis to be found. */
  Client.prototype.asNodeRedis = function () {
    const batches = (name, shape) => ({
      value: async function * (...args) {
        for await (const it of Client.prototype[name].apply(this, args)) yield [shape(it)]
      }
    })
    const client = Object.create(this, {
      scanIterator: batches('scanIterator', String),
      sScanIterator: batches('sScanIterator', (member) => member),
      hScanIterator: batches('hScanIterator', ([field, value]) => ({ field, value })),
      zScanIterator: batches('zScanIterator', ([value, score]) => ({ value, score }))
    })
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
