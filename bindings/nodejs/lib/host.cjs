'use strict'
// Has the connections and the clock of one client; the native part has everything that knows Redis.
//
// Commands of one tick go out in one write, or in several if they are many; what one read brings is
// settled in one go.

const { closed } = require('./errors.cjs')
const { listeners, ring } = require('./native.cjs')
const { Link } = require('./trunk.cjs')

/** So many commands are worth a write before the tick is over: the server begins with them meanwhile. */
const MANY = 32

class Host {
  /** @param native the native client @param handle what functions know it by @param tell takes events in */
  constructor (native, handle, tell) {
    this.native = native
    this.handle = handle
    this.tell = tell
    /** Commands can be taken on as they come. */
    this.isRunning = false
    this.isClosed = false
    /** Of its listener. */
    this.number = undefined
    this.keepsAlive = true
    this.links = new Map()
    /** Subscriptions by their places, and what has to know when the client ends; made when there are any. */
    this.ears = undefined
    this.endings = undefined
    /** What ends calls, by their signals; made when there are any. */
    this.aborts = undefined
    this.pending = 0
    /** Calls since the last write. */
    this.gathered = 0
    /** How to resolve and how to reject the promise of each call, in turn. */
    this.calls = []
    this.isScheduled = false
    /** There is more to do than to write. */
    this.isBusy = true
    /** Some calls have deadlines of their own. */
    this.isHurried = false
    this.timer = undefined
    this.wakesAt = Infinity
    this.idle = undefined
    this.flush = this.flush.bind(this)
    this.wake = this.wake.bind(this)
  }

  /** Before the first command. Throws if the client is closed. */
  start () {
    if (this.isClosed) throw closed()
    if (this.number === undefined) {
      this.number = this.native.start(ring)
      listeners.set(this.number, (event) => event === undefined ? this.wake() : this.tell(event))
    }
    this.isRunning = true
  }

  /** The promise of a call that the native part has taken on, or the error that it refused it with. */
  wait (code) {
    if (typeof code !== 'number') return Promise.reject(code)
    if (code & 1) this.isBusy = true
    if (!this.isScheduled) this.schedule()
    this.pending++
    const place = code >>> 1
    const promise = new Promise((resolve, reject) => {
      this.calls[place << 1] = resolve
      this.calls[place << 1 | 1] = reject
    })
    if (++this.gathered === MANY) this.write()
    return promise
  }

  /** Calls `hear` when there is something for a subscription. */
  hear (place, hear) {
    this.ears ??= new Map()
    this.ears.set(place, hear)
  }

  /** Ends this as well when the client ends. */
  endWith (it) {
    this.endings ??= new Set()
    this.endings.add(it)
  }

  /** Ends the wait for a call; what was sent runs all the same. */
  cancel (place, reason) {
    const reject = this.calls[place << 1 | 1]
    this.native.cancel(place)
    this.forget(place)
    reject(reason)
  }

  forget (place) {
    this.calls[place << 1] = this.calls[place << 1 | 1] = undefined
    if (--this.pending === 0 && this.idle) this.idle()
  }

  /** Passes outcomes on: codes and values in turn, and one thing more if there is more to do. */
  settle (report) {
    if (report === undefined) return
    const end = report.length & ~1
    for (let i = 0; i < end; i += 2) {
      const code = report[i]
      const place = code >>> 2
      if (code & 2) {
        this.ears?.get(place)?.()
        continue
      }
      const tell = this.calls[place << 1 | code & 1]
      this.forget(place)
      tell(report[i + 1])
    }
    if (end !== report.length) this.look()
  }

  /** Has connections and deadlines looked after. */
  look () {
    this.isBusy = true
    if (!this.isScheduled) this.schedule()
  }

  /** Has everything written once this tick's commands are all there. */
  schedule () {
    this.isScheduled = true
    process.nextTick(this.flush)
  }

  flush () {
    const isBusy = this.isBusy
    this.isScheduled = this.isBusy = false
    if (isBusy) this.connect()
    this.write()
    // Commands without a hurry of their own come due after those that the clock is set for.
    if (isBusy || this.isHurried || this.timer === undefined) this.arm()
  }

  write () {
    this.gathered = 0
    for (const link of this.links.values()) link.flush()
  }

  connect () {
    const native = this.native
    for (let action = native.connection(); action !== undefined; action = native.connection()) {
      if (typeof action === 'number') this.drop(action)
      else this.open(action)
    }
  }

  open (action) {
    const link = new Link(this, action)
    this.links.set(link.id, link)
    if (link.trunk.isOpen) link.opened()
  }

  drop (id) {
    const link = this.links.get(id)
    if (this.links.delete(id)) link.close()
  }

  /** A connection is gone. */
  lose (link, why) {
    if (!this.links.delete(link.id)) return
    this.settle(this.native.closed(link.id, why))
    this.look()
  }

  /** From now on it shares its connections with no other client. */
  withdraw () {
    this.settle(this.native.withdraw())
  }

  /** Sees to it that the native part is woken when its next deadline passes. */
  arm () {
    const left = this.native.deadline()
    const at = left < 0 ? Infinity : performance.now() + left
    // A clock that rings early, or for nothing, does no harm: it only asks again.
    if (at < this.wakesAt) {
      if (this.timer) clearTimeout(this.timer)
      this.timer = setTimeout(this.wake, Math.ceil(left))
      this.wakesAt = at
    }
    // As long as there is a socket, that is what keeps the process alive.
    const isAwaited = this.pending > 0 || this.ears?.size > 0
    if (this.keepsAlive && isAwaited && this.links.size === 0) this.timer?.ref()
    else this.timer?.unref()
  }

  wake () {
    if (this.timer) clearTimeout(this.timer)
    this.timer = undefined
    this.wakesAt = Infinity
    this.settle(this.native.wake())
    this.look()
  }

  /** Whether open connections and waiting calls keep the process alive. */
  keepAlive (flag) {
    this.keepsAlive = flag
    for (const { trunk } of this.links.values()) trunk.keepAlive()
    this.look()
  }

  /** No more commands; resolves when those that wait have ended. */
  async end () {
    this.isRunning = false
    this.isClosed = true
    if (this.pending > 0) await new Promise((resolve) => { this.idle = resolve })
    this.destroy()
  }

  /** Ends everything at once. */
  destroy () {
    this.isRunning = false
    this.isClosed = true
    listeners.delete(this.number)
    this.settle(this.native.close())
    for (const it of this.endings ?? []) it.end()
    this.isBusy = true
    this.flush()
    if (this.timer) clearTimeout(this.timer)
  }
}

module.exports = { Host }
