'use strict'
// The client that libraries for ioredis and for node-redis take as theirs.

const { Readable } = require('node:stream')
const { Client } = require('../lib/client.cjs')
const { table, names, indexOf } = require('../lib/commands.cjs')
const { habits, isObject, spread } = require('./arguments.cjs')
const { taken, tell } = require('./callbacks.cjs')
const { split } = require('./scripts.cjs')
const { translate } = require('./options.cjs')
const { withLifecycle } = require('./lifecycle.cjs')
const { withSubscriptions } = require('./subscriptions.cjs')
const { HybridBatch } = require('./batch.cjs')
const { addViews } = require('./views.cjs')
const shapes = require('./shapes.cjs')

/** A key that can be taken as a batch of keys as well: which of the two, libraries disagree on. */
class Key extends String {
  * [Symbol.iterator] () {
    yield String(this)
  }
}

class HybridClient extends withSubscriptions(withLifecycle(Client)) {
  constructor (url, options) {
    if (isObject(url) && !(url instanceof URL)) [url, options] = [url.url, { ...url, url: undefined }]
    super(url, translate(options ?? {}))
    this._given = [url, options]
    this._scripts = new Map()
    this._options = undefined
  }

  /** Makes a view with call options; has the client's options as properties, as in ioredis. */
  get options () {
    const root = this._root
    const view = (options) => Client.prototype.options.call(this, options)
    for (const [name, value] of Object.entries({ maxRetriesPerRequest: null, lazyConnect: true, ...root._given[1] })) {
      Object.defineProperty(view, name, { value, enumerable: true, configurable: true })
    }
    return view
  }

  pipeline (commands) {
    return new HybridBatch(this, false).addAll(commands)
  }

  multi (commands) {
    // ioredis takes `{ pipeline: false }` for transactions over several calls, of which each
    // would wait for a reply: here they are queued all the same.
    return new HybridBatch(this, true).addAll(Array.isArray(commands) ? commands : undefined)
  }

  /** A command that `numberOfKeys` and `lua` describe becomes a method, as in ioredis. */
  defineCommand (name, { lua, numberOfKeys }) {
    const script = this.script(lua)
    const root = this._root
    root._scripts.set(name, { script, numberOfKeys })
    root[name] = function (...args) {
      const callback = taken(args)
      return tell(script(split(args, numberOfKeys)), callback)
    }
  }

  /** A script to be called, or with a subcommand what it answers. */
  script (source, ...rest) {
    if (rest.length === 0 && !/^(flush|kill)$/i.test(source)) return super.script(source)
    const callback = taken(rest)
    return tell(this.call('SCRIPT', source, ...rest.flat()), callback)
  }

  /** Any command. The words may be in lists, and a callback may follow. */
  call (...words) {
    const callback = taken(words)
    return tell(super.call(...words), callback)
  }

  /** `client('LIST')` and the like. A name is for all connections, those to come as well. */
  client (word, ...rest) {
    if (!/^setname$/i.test(word)) return this.call('CLIENT', word, ...rest)
    const callback = taken(rest)
    return tell(this.clientSetName(...rest), callback)
  }

  clientSetName (name) {
    return this._take((native) => native.rename(String(name)))
  }

  sendCommand (words, ...rest) {
    // ioredis' Command has a name and arguments.
    return Array.isArray(words) ? super.call(...words) : this.call(words.name ?? words, words.args ?? [], ...rest)
  }

  send_command (name, ...rest) { return this.call(name, ...rest) }

  /** Buffers in place of strings, as node-redis is asked for them. */
  withTypeMapping (mapping) {
    return Object.values(mapping).includes(Buffer) ? this.buffers : this
  }

  withCommandOptions ({ typeMapping = {}, timeout, abortSignal } = {}) {
    return Client.prototype.options.call(this.withTypeMapping(typeMapping), { ...(timeout === undefined ? {} : { timeout }), signal: abortSignal })
  }

  async * scanIterator (options) {
    for await (const key of super.scanIterator(options)) yield new Key(key)
  }

  scanStream (options) { return this._stream((cursor, given) => this._run(indexOf('scan'), [cursor, given]), options) }
  sscanStream (key, options) { return this._stream((cursor, given) => this.sscan(key, cursor, given), options) }
  hscanStream (key, options) { return this._stream((cursor, given) => this.hscan(key, cursor, given), options) }
  zscanStream (key, options) { return this._stream((cursor, given) => this.zscan(key, cursor, given), options) }

  _stream (scan, { match, count, type } = {}) {
    const given = Object.fromEntries(Object.entries({ MATCH: match, COUNT: count, TYPE: type }).filter(([, it]) => it !== undefined))
    const batches = async function * () {
      let cursor = '0'
      do {
        const [next, found] = await scan(cursor, given)
        yield found
        cursor = String(next)
      } while (cursor !== '0')
    }
    return Readable.from(batches(), { objectMode: true, highWaterMark: 1 })
  }

  /** The long way of a call: callbacks, habits of other clients, and replies in their shapes. */
  _translated (name, row, index, args) {
    const callback = taken(args)
    args = spread(args)
    const words = habits[row.camel]?.(...args) ?? args
    const shape = shapeOf(name, row, args)
    const reply = this._run(index, FLATTENED.has(row.name) ? words.flat(Infinity).map(unboxed) : words)
    return tell(shape === undefined ? reply : reply.then((it) => it === null ? null : shape(it)), callback)
  }

  _tell (event, ...args) {
    if (typeof event === 'object') return super._tell(event)
    // An error that nobody listens for is told by the commands that fail, and ends no process.
    if (event === 'error' && this.listenerCount('error') === 0) return
    this._call(() => this._root.emit(event, ...args))
  }
}

/** Keys of these may be nested, as a library's list of keys can be. */
const FLATTENED = new Set(['del', 'unlink', 'exists', 'mget', 'touch'])
const unboxed = (it) => it instanceof String ? String(it) : it

function shapeOf (name, row, args) {
  if (name === 'scan') return isObject(args.at(-1)) ? shapes.scan : undefined
  // With an options object it is a call of ours, with a reply in our shape.
  const isOurs = isObject(args.at(-1)) && row.name !== 'xadd'
  return shapes.nodeRedis[name] ?? (isOurs ? undefined : shapes.ioredis[name])
}

const isTranslated = (name, row) => row.camel in habits || name in shapes.ioredis || name in shapes.nodeRedis || name === 'scan' || FLATTENED.has(row.name)

// Each name has a method of its own, since the names say whose habits hold.
for (const [index, row] of table.entries()) {
  if (!row.method) continue
  for (const name of names(row)) {
    const method = isTranslated(name, row)
      ? function (...args) { return this._translated(name, row, index, args) }
      : function (...args) {
        const last = args[args.length - 1]
        if (typeof last === 'function' || (args.length === 1 && typeof last === 'object')) return this._translated(name, row, index, args)
        return this._run(index, args)
      }
    Object.defineProperty(HybridClient.prototype, name, { value: method, configurable: true, writable: true })
    const buffer = function (...args) { return this.buffers[name](...args) }
    if (name === name.toLowerCase()) Object.defineProperty(HybridClient.prototype, `${name}Buffer`, { value: buffer, configurable: true, writable: true })
  }
}

// Administration, and commands with subcommands, by their first word: `info()`, `config('GET', …)`.
for (const row of table) {
  const word = row.name.split('|')[0]
  if (word in HybridClient.prototype || word === 'script') continue
  const method = function (...args) { return this.call(word.toUpperCase(), ...args) }
  Object.defineProperty(HybridClient.prototype, word, { value: method, configurable: true, writable: true })
}
for (const word of ['info', 'client', 'config', 'flushall', 'flushdb', 'dbsize', 'role', 'command', 'memory', 'debug', 'slowlog', 'latency', 'acl']) {
  if (word in HybridClient.prototype) continue
  const method = function (...args) { return this.call(word.toUpperCase(), ...args) }
  Object.defineProperty(HybridClient.prototype, word, { value: method, configurable: true, writable: true })
}
HybridClient.prototype.flushAll = HybridClient.prototype.flushall
HybridClient.prototype.flushDb = HybridClient.prototype.flushdb
HybridClient.prototype.zRangeWithScores = async function (key, min, max, options = {}) {
  return shapes.members(await this._run(indexOf('zrange'), [key, min, max, { ...options, WITHSCORES: true }]))
}

addViews(HybridClient)

module.exports = { HybridClient }
