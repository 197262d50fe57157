'use strict'
// Sockets, with TLS or without it, and the connections of clients that share them.
//
// Whether clients can share one, and whose the replies are, is known to the native part. As long as
// one client has a socket to itself, it is asked nothing.

const net = require('node:net')
const { readFileSync } = require('node:fs')
const { functions: { leave, output, received, sharedOutput, sharedReceived } } = require('./native.cjs')

// What is read is dealt with before anything else is read, so all sockets can share one buffer.
// On Windows the system fills it in the background, so there each has its own.
const ROOM = 64 * 1024
const shared = process.platform === 'win32' ? null : Buffer.allocUnsafeSlow(ROOM)

/** The sockets of this thread, by their numbers. */
const trunks = new Map()

/** A client's connection, from the wish for it to its end. */
class Link {
  constructor (host, { link, socket, seat, ...to }) {
    this.host = host
    this.id = link
    this.seat = seat
    this.isParting = false
    this.trunk = trunks.get(socket) ?? new Trunk(socket, to)
    this.trunk.join(this)
  }

  opened () {
    this.host.settle(this.host.native.opened(this.id, this.trunk.id))
  }

  /** Writes what there is. What a slow server does not take stays with the native part, which can still hold it back. */
  flush () {
    const { host, trunk } = this
    if (!trunk.isOpen) return
    const isFull = trunk.socket.writableNeedDrain
    if (isFull && trunk.only === this) return
    const bytes = trunk.only === this ? output(host.handle, this.id) : sharedOutput(host.handle, this.id, trunk.id, this.seat, isFull)
    if (bytes === null) {
      this.isParting = true
      host.settle(host.native.part(this.id))
    } else if (bytes !== undefined) {
      trunk.socket.write(bytes, 'latin1')
    }
  }

  /** The client needs it no more. */
  close () {
    // Whoever goes on elsewhere had his reasons, which are good for others as well.
    this.trunk.leave(this, !this.host.isClosed && !this.isParting)
  }
}

class Trunk {
  constructor (id, { tls: secure, ...to }) {
    this.id = id
    this.links = new Map()
    /** Who has it to himself. */
    this.only = undefined
    this.isOpen = false
    this.keepsAlive = true
    this.why = 'the server closed the connection'
    trunks.set(id, this)
    const buffer = shared ?? Buffer.allocUnsafeSlow(ROOM)
    const callback = (count) => {
      this.read(buffer, count)
      return true
    }
    const options = { ...to, noDelay: true, keepAlive: true, onread: { buffer, callback } }
    try {
      this.socket = secure ? require('node:tls').connect({ ...options, ...read(secure) }) : net.connect(options)
    } catch (error) {
      // A certificate that cannot be read. The native part must not hear of it from within its
      // own call for the connection.
      this.socket = new net.Socket()
      this.why = error.message
      process.nextTick(() => this.lose())
      return
    }
    this.socket.on(secure ? 'secureConnect' : 'connect', () => {
      this.isOpen = true
      for (const link of [...this.links.values()]) link.opened()
    })
    this.socket.on('drain', () => { for (const link of this.links.values()) link.host.flush() })
    this.socket.on('error', (error) => { this.why = `the connection failed: ${error.message || error.code}` })
    this.socket.on('end', () => this.socket.destroy())
    this.socket.on('close', () => this.lose())
  }

  join (link) {
    this.links.set(link.seat, link)
    this.only = this.links.size === 1 ? link : undefined
    if (link.host.keepsAlive !== this.keepsAlive) this.keepAlive()
  }

  leave (link, isLast) {
    this.links.delete(link.seat)
    leave(this.id, link.seat, isLast)
    if (this.links.size > 0) return this.keepAlive()
    trunks.delete(this.id)
    this.socket.destroy()
  }

  lose () {
    for (const link of [...this.links.values()]) {
      this.leave(link, true)
      link.host.lose(link, this.why)
    }
  }

  read (buffer, count) {
    const only = this.only
    if (only !== undefined) {
      only.host.settle(received(only.host.handle, only.id, buffer, count))
      return
    }
    const [state, ...told] = sharedReceived(this.id, buffer, count)
    // While one client is told, a listener of its can end another.
    const hosts = told.map((seat, i) => i % 2 === 0 ? this.links.get(seat).host : undefined)
    if (state === true) {
      this.only = this.links.values().next().value
    } else if (state !== undefined) {
      this.why = state
      this.socket.destroy()
    }
    for (let i = 0; i < told.length; i += 2) hosts[i].settle(told[i + 1])
  }

  /** It keeps the process alive if anyone does who has a seat. */
  keepAlive () {
    const flag = [...this.links.values()].some((link) => link.host.keepsAlive)
    if (flag === this.keepsAlive) return
    this.keepsAlive = flag
    flag ? this.socket.ref() : this.socket.unref()
  }
}

function read ({ servername, ...files }) {
  const options = servername === undefined ? {} : { servername }
  for (const name in files) options[name] = readFileSync(files[name])
  return options
}

module.exports = { Link }
