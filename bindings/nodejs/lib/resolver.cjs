'use strict'
// Who is primary, for programs that keep a client library of their own.

const { EventEmitter } = require('node:events')
const native = require('./native.cjs')
const { place } = require('./given.cjs')

/** How long a change of the deployment may go unnoticed that is no change of the primary. */
const LOOK_MS = 50

/** Finds the primary and says when it changes, by the event `change`. */
class Resolver extends EventEmitter {
  constructor (url, options) {
    super()
    this._native = native.NativeResolver.open(...place(url, options))
    this._number = undefined
  }

  _watch () {
    if (this._number !== undefined) return
    this._number = this._native.start(native.ring)
    native.listeners.set(this._number, () => this.emit('change', this.current()))
  }

  /** The verified primary `{ host, port, epoch }`, or `null` while there is none. */
  current () {
    try {
      return this._native.primary()
    } catch {
      return null
    }
  }

  /** The verified primary; waits for one up to `timeout` milliseconds. */
  async primary ({ timeout = 30_000, signal } = {}) {
    this._watch()
    const until = performance.now() + timeout
    for (;;) {
      signal?.throwIfAborted()
      try {
        return this._native.primary()
      } catch (error) {
        if (error.kind !== 'Unavailable' || performance.now() >= until) throw error
      }
      await new Promise((resolve) => {
        const done = () => { clearTimeout(timer); this.off('change', done); resolve() }
        const timer = setTimeout(done, LOOK_MS)
        this.on('change', done)
      })
    }
  }

  /** How to reach the known replicas. */
  replicas () {
    this._watch()
    return this._native.replicas()
  }

  /** What is known of the deployment. */
  topology () {
    this._watch()
    return this._native.topology()
  }

  /**
   * A connection of this epoch met trouble. With the error that the node answered, it returns
   * whether the connection is to be closed.
   */
  report (epoch, error) {
    return this._native.report(epoch, error === undefined ? undefined : String(error?.message ?? error))
  }

  close () {
    this._native.close()
    native.listeners.delete(this._number)
    this.removeAllListeners('change')
  }
}

if (Symbol.dispose) Resolver.prototype[Symbol.dispose] = Resolver.prototype.close

module.exports = { Resolver }
