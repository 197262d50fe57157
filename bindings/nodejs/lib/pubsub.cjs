'use strict'
// Subscriptions. They survive failovers; a gap says when messages may have been missed.

const { closed, usage, classes: { SteadisError } } = require('./errors.cjs')

/** How a channel is wanted, in the numbers of the native part. */
const BY = { channel: 0, pattern: 1, shard: 2 }

/** A subscription of the native part, with a connection of its own. */
class Ear {
  constructor (client, hear) {
    this.client = client
    this.host = client._host
    client._begin()
    this.place = client._native.subscribe()
    this.waiting = []
    this.host.hear(this.place, () => { this.settle(); hear() })
  }

  add (by, name) {
    this.check(this.client._native.subscriptionAdd(this.place, by, name))
  }

  remove (by, name) {
    this.check(this.client._native.subscriptionRemove(this.place, by, name))
  }

  check (error) {
    if (error !== undefined) throw error
    this.host.look()
  }

  /** Resolves when the server has confirmed every channel. */
  ready () {
    if (this.client._native.subscriptionReady(this.place)) return Promise.resolve()
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }))
  }

  settle () {
    if (this.waiting.length === 0 || !this.client._native.subscriptionReady(this.place)) return
    for (const { resolve } of this.waiting.splice(0)) resolve()
  }

  fail (error) {
    for (const { reject } of this.waiting.splice(0)) reject(error)
  }

  /** The next thing that has come: a message, a gap, an error, or `undefined`. */
  next () {
    const next = this.client._native.subscriptionNext(this.place)
    if (!Array.isArray(next)) return next
    if (next.length === 2) return { type: 'gap', since: new Date(next[0]), until: new Date(next[1]) }
    return { type: 'message', channel: next[0], pattern: next[1], data: next[2] }
  }

  close () {
    this.host.ears.delete(this.place)
    this.client._native.unsubscribe(this.place)
    this.fail(closed())
    this.host.look()
  }
}

/** Messages one after the other, by `for await`. A slow reader misses some, which it is told. */
class Messages {
  constructor (client, wanted) {
    this.wake = undefined
    this.isOver = false
    this.ear = new Ear(client, () => this.wake?.())
    client._host.endWith(this)
    try {
      for (const [by, name] of wanted) this.ear.add(by, name)
    } catch (error) {
      this.end()
      throw error
    }
  }

  async next () {
    for (;;) {
      if (this.isOver) return { value: undefined, done: true }
      const value = this.ear.next()
      if (value instanceof SteadisError) {
        this.end()
        throw value
      }
      if (value !== undefined) return { value, done: false }
      await new Promise((resolve) => { this.wake = resolve })
      this.wake = undefined
    }
  }

  async return (value) {
    this.end()
    return { value, done: true }
  }

  /** The client was closed, or the reader has gone. */
  end () {
    if (this.isOver) return
    this.isOver = true
    this.ear.host.endings.delete(this)
    this.ear.close()
    this.wake?.()
  }

  [Symbol.asyncIterator] () {
    return this
  }
}

/** What listeners of one client have subscribed to: one connection for all of them. */
class Hub {
  constructor (client) {
    this.client = client
    this.buffers = client.buffers
    this.ear = undefined
    this.listeners = new Set()
    /** For each way a map of names to sets of listeners. */
    this.wanted = [new Map(), new Map(), new Map()]
  }

  get count () {
    return this.wanted.reduce((sum, names) => sum + names.size, 0)
  }

  /** What goes to a function, in the same object each time. */
  listener (listener, buffers) {
    const known = this.known(listener, buffers) ?? { listener, buffers }
    this.listeners.add(known)
    return known
  }

  known (listener, buffers) {
    return [...this.listeners].find((it) => it.listener === listener && it.buffers === buffers)
  }

  names (by) {
    return [...this.wanted[by].keys()]
  }

  async add (by, names, listener) {
    this.ear ??= new Ear(this.buffers, () => this.hear())
    for (const name of names) {
      let listeners = this.wanted[by].get(String(name))
      if (listeners === undefined) {
        this.ear.add(by, name)
        this.wanted[by].set(String(name), listeners = new Set())
      }
      if (listener) listeners.add(listener)
    }
    await this.ear.ready()
    return this.count
  }

  remove (by, names, listener) {
    for (const name of names ?? this.names(by)) {
      const listeners = this.wanted[by].get(String(name))
      if (listeners === undefined) continue
      if (listener) listeners.delete(listener)
      if (listener && listeners.size > 0) continue
      this.wanted[by].delete(String(name))
      this.ear.remove(by, name)
    }
    if (this.count === 0) this.end()
    return this.count
  }

  hear () {
    for (let next = this.ear?.next(); next !== undefined; next = this.ear?.next()) {
      this.tell(next)
      // It stands until something changes, and then we hear again.
      if (next instanceof SteadisError) return
    }
  }

  tell (next) {
    if (next instanceof SteadisError) {
      this.ear.fail(next)
      if (next.kind !== 'Closed') this.client._tell('error', next)
    } else if (next.type === 'gap') {
      this.client._tell({ name: 'gap', ...next })
    } else {
      this.pass(next)
    }
  }

  pass ({ channel, pattern, data }) {
    const text = data.toString()
    const ways = pattern === null ? [BY.channel, BY.shard] : [BY.pattern]
    for (const by of ways) {
      const listeners = this.wanted[by].get(pattern ?? channel)
      if (listeners === undefined) continue
      for (const { listener, buffers } of listeners) {
        this.client._call(() => buffers ? listener(data, Buffer.from(channel)) : listener(text, channel))
      }
      const names = pattern === null ? [channel] : [pattern, channel]
      const event = ['message', 'pmessage', 'smessage'][by]
      this.client._call(() => this.client.emit(event, ...names, text))
      this.client._call(() => this.client.emit(`${event}Buffer`, ...names.map((it) => pattern === null || it === pattern ? it : Buffer.from(it)), data))
    }
  }

  /** The last channel was given up, or the client was closed. */
  end () {
    this.ear?.close()
    this.ear = undefined
    for (const names of this.wanted) names.clear()
  }
}

/**
 * What `subscribe` returns. Read it by `for await`, or await it to know that the server has
 * confirmed, while messages go to listeners.
 */
class Subscription {
  constructor (client, wanted, confirm) {
    this.client = client
    this.wanted = wanted
    this.confirm = confirm
    this.confirmed = undefined
    // It is only known by the end of this tick what is done with it.
    process.nextTick(() => { if (!this.isRead) this.start().catch(() => {}) })
  }

  start () {
    this.confirmed ??= this.wanted.length === 0 ? Promise.reject(nothing()) : this.confirm()
    return this.confirmed
  }

  then (resolve, reject) {
    return this.start().then(resolve, reject)
  }

  catch (reject) {
    return this.start().catch(reject)
  }

  finally (then) {
    return this.start().finally(then)
  }

  /** For readers: resolves when the server has confirmed, so that what comes from now on is read. */
  async ready () {
    return this[Symbol.asyncIterator]().ear.ready()
  }

  [Symbol.asyncIterator] () {
    this.isRead = true
    if (this.wanted.length === 0) throw nothing()
    this.messages ??= new Messages(this.client, this.wanted)
    return this.messages
  }
}

const nothing = () => usage('there is no channel to subscribe to; write subscribe("news")')

module.exports = { BY, Hub, Subscription }
