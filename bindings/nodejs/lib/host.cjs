'use strict'
// Owns sockets, TLS and the clock of one client; the native part owns everything that knows Redis.
//
// Commands of one tick go out in one write, and what one read brings is settled in one go.

const net = require('node:net')
const { readFileSync } = require('node:fs')
const { closed } = require('./errors.cjs')
const { functions: { output, received } } = require('./native.cjs')

// What is read is dealt with before anything else is read, so all sockets can share one buffer.
// On Windows the system fills it in the background, so there each has its own.
const ROOM = 64 * 1024
const shared = process.platform === 'win32' ? null : Buffer.allocUnsafeSlow(ROOM)

/** A connection, from the wish for it to its end. */
class Link {
  constructor (host, { link, tls: secure, ...to }) {
    this.id = link
    this.isOpen = false
    const buffer = shared ?? Buffer.allocUnsafeSlow(ROOM)
    const callback = (count) => {
      host.settle(received(host.handle, link, buffer, count))
      return true
    }
    const options = { ...to, noDelay: true, keepAlive: true, onread: { buffer, callback } }
    let why = 'the server closed the connection'
    const lose = () => {
      if (!host.links.delete(link)) return
      host.settle(host.native.closed(link, why))
      host.look()
    }
    try {
      this.socket = secure ? require('node:tls').connect({ ...options, ...read(secure) }) : net.connect(options)
    } catch (error) {
      // A certificate that cannot be read. The native part must not hear of it from within its
      // own call for the connection.
      this.socket = new net.Socket()
      why = error.message
      process.nextTick(lose)
      return
    }
    this.socket.on(secure ? 'secureConnect' : 'connect', () => {
      this.isOpen = true
      host.settle(host.native.opened(link))
    })
    this.socket.on('drain', host.flush)
    this.socket.on('error', (error) => { why = `the connection failed: ${error.message || error.code}` })
    this.socket.on('end', () => this.socket.destroy())
    this.socket.on('close', lose)
    if (!host.keepsAlive) this.socket.unref()
  }
}

function read ({ servername, ...files }) {
  const options = servername === undefined ? {} : { servername }
  for (const name in files) options[name] = readFileSync(files[name])
  return options
}

class Host {
  /** @param native the native client @param handle what functions know it by @param tell takes events in */
  constructor (native, handle, tell) {
    this.native = native
    this.handle = handle
    this.tell = tell
    /** Commands can be taken on as they come. */
    this.isRunning = false
    this.isClosed = false
    this.keepsAlive = true
    this.links = new Map()
    /** Subscriptions by their places. */
    this.ears = new Map()
    /** What has to know when the client ends. */
    this.endings = new Set()
    /** What ends calls, by their signals; made when there are any. */
    this.aborts = undefined
    this.pending = 0
    this.resolves = []
    this.rejects = []
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
    this.native.start((event) => event === undefined ? this.wake() : this.tell(event))
    this.isRunning = true
  }

  /** The promise of a call that the native part has taken on, or the error that it refused it with. */
  wait (code) {
    if (typeof code !== 'number') return Promise.reject(code)
    if (code & 1) this.isBusy = true
    if (!this.isScheduled) this.schedule()
    this.pending++
    const place = code >>> 1
    return new Promise((resolve, reject) => {
      this.resolves[place] = resolve
      this.rejects[place] = reject
    })
  }

  /** Ends the wait for a call; what was sent runs all the same. */
  cancel (place, reason) {
    const reject = this.rejects[place]
    this.native.cancel(place)
    this.forget(place)
    reject(reason)
  }

  forget (place) {
    this.resolves[place] = this.rejects[place] = undefined
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
        this.ears.get(place)?.()
        continue
      }
      const tell = code & 1 ? this.rejects[place] : this.resolves[place]
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
    this.isScheduled = false
    if (this.isBusy) this.connect()
    for (const link of this.links.values()) {
      // What a slow server does not take stays with the native part, which can still hold it back.
      if (!link.isOpen || link.socket.writableNeedDrain) continue
      const bytes = output(this.handle, link.id)
      if (bytes !== undefined) link.socket.write(bytes, 'latin1')
    }
    // Commands without a hurry of their own come due after those that the clock is set for.
    if (this.isBusy || this.isHurried || this.timer === undefined) this.arm()
    this.isBusy = false
  }

  connect () {
    const native = this.native
    for (let action = native.connection(); action !== undefined; action = native.connection()) {
      if (typeof action === 'number') this.drop(action)
      else this.links.set(action.link, new Link(this, action))
    }
  }

  drop (id) {
    const link = this.links.get(id)
    if (this.links.delete(id)) link.socket.destroy()
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
    const isAwaited = this.pending > 0 || this.ears.size > 0
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
    for (const { socket } of this.links.values()) flag ? socket.ref() : socket.unref()
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
    this.settle(this.native.close())
    for (const it of this.endings) it.end()
    this.isBusy = true
    this.flush()
    if (this.timer) clearTimeout(this.timer)
  }
}

module.exports = { Host }
