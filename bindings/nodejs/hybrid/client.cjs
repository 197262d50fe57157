'use strict'
// The client that libraries for ioredis and for node-redis take as theirs.

const { Client } = require('../lib/client.cjs')
const { table, indexOf, methods, withMethods } = require('../lib/commands.cjs')
const { classes: { SteadisError }, usage } = require('../lib/errors.cjs')
const { isObject, place } = require('../lib/given.cjs')
const { habits, inHabit, spread } = require('./arguments.cjs')
const { taken, tell } = require('./callbacks.cjs')
const { split } = require('./scripts.cjs')
const { translate } = require('./options.cjs')
const { withLifecycle } = require('./lifecycle.cjs')
const { withSubscriptions } = require('./subscriptions.cjs')
const { HybridBatch } = require('./batch.cjs')
const { addViews } = require('./views.cjs')
const shapes = require('./shapes.cjs')

const [SCAN, ZRANGE] = [indexOf('scan'), indexOf('zrange')]

/** What SCRIPT can be told without further arguments. */
const SUBCOMMANDS = new Set(['FLUSH', 'flush', 'KILL', 'kill'])

/** A key that can be taken as a batch of keys as well: which of the two, libraries disagree on. */
class Key extends String {
  * [Symbol.iterator] () {
    yield String(this)
  }
}

/** Keys of these may be nested, as a library's list of keys can be. */
const FLATTENED = new Set(['del', 'unlink', 'exists', 'mget', 'touch'])
const flattened = (...args) => args.flat(Infinity).map((it) => it instanceof String ? String(it) : it)

/** Each name has a method of its own where the name says whose habits hold. */
const translated = methods((index, row, name) => {
  const habit = FLATTENED.has(row.name) ? flattened : habits[row.camel]
  const shape = shapeOf(name)
  if (habit === undefined && shape === undefined) return undefined
  return function (...args) { return this._translated(index, args, habit, shape) }
})

/** What makes a reply of this name's library of a reply of ours, if they differ. */
function shapeOf (name) {
  if (name === 'scan') return (reply, isOurs) => isOurs ? shapes.scan(reply) : reply
  if (name in shapes.nodeRedis) return shapes.nodeRedis[name]
  const shape = shapes.ioredis[name]
  // With an options object it is a call of ours, with a reply in our shape.
  return shape && ((reply, isOurs) => isOurs ? reply : shape(reply))
}

/** `getBuffer` and the like of ioredis. */
const buffers = methods((index, row, name) => function (...args) { return this.buffers[name](...args) })
for (const name in buffers) {
  if (name === name.toLowerCase()) translated[`${name}Buffer`] = buffers[name]
}

// Administration, and commands with subcommands, by their first word: `config('GET', …)`.
for (const { name } of table) {
  const word = name.split('|')[0]
  if (word in Client.prototype) continue
  translated[word] = function (...args) { return this.call(word.toUpperCase(), ...args) }
}

class HybridClient extends withSubscriptions(withLifecycle(withMethods(Client, translated))) {
  constructor (url, options) {
    if (isObject(url)) [url, options] = [url.url, { ...url, url: undefined }]
    ;[url, options] = place(url, options)
    super(url, translate(options))
    this._given = [url, options]
    this._scripts = undefined
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
  defineCommand (name, definition) {
    if (typeof definition?.lua !== 'string') throw usage(`the command ${String(name)} has no lua; write { numberOfKeys, lua: 'return …' }`)
    const { lua, numberOfKeys } = definition
    const script = this.script(lua)
    const root = this._root
    root._scripts ??= new Map()
    root._scripts.set(name, { script, numberOfKeys })
    root[name] = function (...args) {
      const callback = taken(args)
      return tell(script(split(args, numberOfKeys)), callback)
    }
  }

  /** A script to be called, or with a subcommand what it answers. */
  script (source, ...rest) {
    if (rest.length === 0 && !SUBCOMMANDS.has(source)) return super.script(source)
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
    this._host.withdraw()
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
    for await (const key of super.scanIterator(options)) yield typeof key === 'string' ? new Key(key) : key
  }

  scanStream (options) { return this._stream((cursor, given) => this._run(SCAN, [cursor, given]), options) }
  sscanStream (key, options) { return this._stream((cursor, given) => this.sscan(key, cursor, given), options) }
  hscanStream (key, options) { return this._stream((cursor, given) => this.hscan(key, cursor, given), options) }
  zscanStream (key, options) { return this._stream((cursor, given) => this.zscan(key, cursor, given), options) }

  _stream (scan, { match, count, type } = {}) {
    const given = Object.fromEntries(Object.entries({ MATCH: match, COUNT: count, TYPE: type }).filter(([, it]) => it !== undefined))
    const { Readable } = require('node:stream')
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

  /** As all methods, with a callback behind the arguments or without one, and these in a list or not. */
  _run (index, args) {
    const last = args[args.length - 1]
    if (typeof last === 'function') return tell(this._run(index, args.slice(0, -1)), last)
    return super._run(index, spread(args))
  }

  /** The long way of a call: habits of other clients, and replies in their shapes. */
  _translated (index, args, habit, shape) {
    const callback = taken(args)
    const words = inHabit(habit, args)
    if (words instanceof SteadisError) return tell(Promise.reject(words), callback)
    const reply = this._run(index, words)
    if (shape === undefined) return tell(reply, callback)
    const isOurs = isObject(args.at(-1))
    return tell(reply.then((it) => it === null ? null : shape(it, isOurs)), callback)
  }

  zRangeWithScores (key, min, max, options = {}) {
    return this._run(ZRANGE, [key, min, max, { ...options, WITHSCORES: true }]).then(shapes.members)
  }

  _tell (event, ...args) {
    if (typeof event === 'object') return super._tell(event)
    // An error that nobody listens for is told by the commands that fail, and ends no process.
    if (event === 'error' && this.listenerCount('error') === 0) return
    this._call(() => this._root.emit(event, ...args))
  }
}

addViews(HybridClient)

module.exports = { HybridClient }
