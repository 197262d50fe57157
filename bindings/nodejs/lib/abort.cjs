'use strict'
// Calls that end when a signal says so. One listener for each signal, however many calls wait.

class Abort {
  static of (host, signal) {
    host.aborts ??= new WeakMap()
    let abort = host.aborts.get(signal)
    if (abort === undefined) host.aborts.set(signal, abort = new Abort(host, signal))
    return abort
  }

  constructor (host, signal) {
    this.host = host
    this.signal = signal
    this.places = new Set()
    this.end = () => {
      for (const place of this.places) host.cancel(place, signal.reason)
      this.places.clear()
    }
  }

  /** Passes the promise of a call on, and forgets the call when it is over. */
  watch (code, promise) {
    if (typeof code !== 'number') return promise
    const place = code >>> 1
    if (this.places.size === 0) this.signal.addEventListener('abort', this.end, { once: true })
    this.places.add(place)
    const over = () => {
      this.places.delete(place)
      if (this.places.size === 0) this.signal.removeEventListener('abort', this.end)
    }
    return promise.then((value) => { over(); return value }, (error) => { over(); throw error })
  }
}

module.exports = { Abort }
