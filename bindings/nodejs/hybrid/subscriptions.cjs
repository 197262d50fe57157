'use strict'
// Subscribing in the words of ioredis and node-redis. Messages go to a listener, if one is given,
// and to listeners of the events `message`, `pmessage` and `smessage`.

const { BY, Subscription } = require('../lib/pubsub.cjs')
const { isObject } = require('../lib/given.cjs')
const { taken, tell } = require('./callbacks.cjs')

const EVENTS = ['message', 'pmessage', 'smessage']

/** Adds it to a class of clients. */
const withSubscriptions = (Base) => class extends Base {
  subscribe (...names) {
    if (isObject(names.at(-1))) return super.subscribe(...names)
    return this._listen(BY.channel, names)
  }

  _listen (by, names) {
    const buffers = typeof names.at(-1) === 'boolean' ? names.pop() : false
    const given = taken(names)
    // With listeners for the event, it is ioredis' callback; else it is node-redis' listener.
    const events = this.listenerCount(EVENTS[by]) + this.listenerCount(`${EVENTS[by]}Buffer`)
    const isCallback = given !== undefined && events > 0
    const hub = this._hub
    const listener = given === undefined || isCallback ? undefined : hub.listener(given, buffers)
    const flat = names.flat()
    const subscription = new Subscription(this, flat.map((name) => [by, name]), () => hub.add(by, flat, listener))
    if (isCallback) tell(subscription, given)
    return subscription
  }

  async _unlisten (by, names) {
    const buffers = typeof names.at(-1) === 'boolean' ? names.pop() : false
    const given = taken(names)
    const hub = this._hub
    const listener = given && hub.known(given, buffers)
    const flat = names.flat()
    const left = hub.remove(by, flat.length > 0 ? flat : undefined, listener)
    // What is no listener is ioredis' callback.
    if (given && !listener) process.nextTick(given, null, left)
    return left
  }

  psubscribe (...names) { return this._listen(BY.pattern, names) }
  ssubscribe (...names) { return this._listen(BY.shard, names) }
  unsubscribe (...names) { return this._unlisten(BY.channel, names) }
  punsubscribe (...names) { return this._unlisten(BY.pattern, names) }
  sunsubscribe (...names) { return this._unlisten(BY.shard, names) }
  pSubscribe (...names) { return this._listen(BY.pattern, names) }
  sSubscribe (...names) { return this._listen(BY.shard, names) }
  pUnsubscribe (...names) { return this._unlisten(BY.pattern, names) }
  sUnsubscribe (...names) { return this._unlisten(BY.shard, names) }
}

module.exports = { withSubscriptions }
