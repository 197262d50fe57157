'use strict'
// The life of a client in the words of ioredis and node-redis: status, events, connect and quit.

const { closed } = require('../lib/errors.cjs')
const { tell } = require('./callbacks.cjs')

/** Whoever listens for these wants to be connected. */
const WANT_CONNECTION = new Set(['ready', 'connect'])

/** Adds it to a class of clients. */
const withLifecycle = (Base) => class extends Base {
  constructor (...args) {
    super(...args)
    this._status = 'wait'
  }

  on (...args) { return this._wanted(super.on(...args), args) }
  once (...args) { return this._wanted(super.once(...args), args) }
  addListener (...args) { return this._wanted(super.addListener(...args), args) }
  prependListener (...args) { return this._wanted(super.prependListener(...args), args) }
  prependOnceListener (...args) { return this._wanted(super.prependOnceListener(...args), args) }

  _wanted (result, [event]) {
    if (WANT_CONNECTION.has(event) && this.status === 'wait') this.connect().catch(() => {})
    return result
  }

  _tell (event, ...rest) {
    if (event.name === 'hold' && event.what === 'all') this._change('reconnecting', 0)
    if (event.name === 'resume') this._change('ready')
    super._tell(event, ...rest)
  }

  /** `wait`, `connecting`, `ready`, `reconnecting` or `end`. */
  get status () {
    return this._root._status
  }

  /** BullMQ writes down what it is already. */
  set status (known) {}

  /** It was asked to connect, and is not closed. */
  get isOpen () {
    return !['wait', 'end'].includes(this.status)
  }

  get isReady () {
    return this.status === 'ready'
  }

  get isCluster () {
    return false
  }

  _change (status, ...rest) {
    const root = this._root
    if (root._status === status || root._status === 'end') return
    if (status === 'ready' && root._status !== 'reconnecting') this._tell('connect')
    root._status = status
    this._tell(status, ...rest)
  }

  /** Before the first command. */
  _began () {
    const root = this._root
    if (root._status !== 'wait') return
    root._status = 'connecting'
    root._arriving = root._take((native) => native.submitRaw(['PING'])).then(
      () => { root._change('ready'); return root },
      (error) => { root._tell('error', error); throw error }
    )
    // Those who wait for it are told; others learn from their own commands.
    root._arriving.catch(() => {})
  }

  /** Resolves to this client once the primary is verified. */
  async connect () {
    if (this.status === 'end') throw closed()
    this._begin()
    await this._root._arriving
    return this
  }

  /** Ends the client when what waits has ended. */
  async close () {
    await super.close()
    this._over()
  }

  /** The same, with what QUIT answers. */
  quit (callback) {
    return tell(this.close().then(() => 'OK'), callback)
  }

  destroy () {
    super.destroy()
    this._over()
  }

  /** Ends everything at once. */
  disconnect () {
    this.destroy()
    return Promise.resolve()
  }

  /** Another client with the same settings, and with a connection of its own, for that is what one duplicates for. */
  duplicate (overrides = {}) {
    const [url, options] = this._given
    return new this._root.constructor(url, { ...options, ownConnection: true, ...overrides })
  }

  _over () {
    const root = this._root
    if (root._status === 'end') return
    root._status = 'end'
    this._tell('close')
    this._tell('end')
  }
}

module.exports = { withLifecycle }
