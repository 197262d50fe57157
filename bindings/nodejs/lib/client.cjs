'use strict'
// The client: commands, batches, scripts and what is known of the deployment.

const { EventEmitter } = require('node:events')
const native = require('./native.cjs')
const { Host } = require('./host.cjs')
const { Abort } = require('./abort.cjs')
const { Batch } = require('./batch.cjs')
const { makeScript } = require('./script.cjs')
const { BY, Hub, Subscription } = require('./pubsub.cjs')
const { watch } = require('./watch.cjs')
const { table, indexOf, methods, withMethods } = require('./commands.cjs')
const { closed, usage } = require('./errors.cjs')
const given = require('./given.cjs')
const tracing = require('./tracing.cjs')

const { submit } = native.functions

const commands = methods((index) => function (...args) {
  return this._run(index, args)
})

class Client extends withMethods(EventEmitter, commands) {
  constructor (url, options) {
    super()
    this._native = native.Native.open(...given.place(url, options))
    this._handle = this._native.handle()
    this._root = this
    this._abort = undefined
    this._host = new Host(this._native, this._handle, (event) => this._tell(event))
  }

  /** Any command, given by its words; its reply stays as the server sends it. */
  call (...words) {
    const name = [words[0]].flat()[0]
    return tracing.command(this, String(name), words.length - 1, () => this._take((native) => native.submitRaw(given.flat(words))))
  }

  /** The same client with `timeout`, `signal`, `retryWrites`, `buffers` or `bigints` for its calls. */
  options (wanted) {
    const { signal, ...options } = given.options(wanted, 'a call')
    if (signal !== undefined && !(typeof signal === 'object' && signal !== null && 'aborted' in signal)) {
      throw usage(`signal is ${given.what(signal)}; write an AbortSignal`)
    }
    const view = Object.keys(options).length > 0 ? this._native.view(options) : this._native
    const abort = signal ? Abort.of(this._host, signal) : this._abort
    // Such calls may come due before those that the clock is set for.
    if (options.timeout !== undefined) this._host.isHurried = true
    return this._view(view, abort)
  }

  /** The same client with Buffers in place of strings. */
  get buffers () {
    return this._view(this._native.view({ buffers: true }), this._abort)
  }

  /** The same client, reading from replicas: `policy`, and `maxLag` in milliseconds. */
  replica (options) {
    return this._view(this._native.replica(given.options(options, 'a replica')), this._abort)
  }

  _view (native, abort) {
    const handle = native === this._native ? this._handle : native.handle()
    return Object.create(this, { _native: { value: native }, _handle: { value: handle }, _abort: { value: abort } })
  }

  /** Has the native part take a call on, and promises its outcome. */
  _take (submit) {
    const abort = this._abort
    let code
    try {
      this._begin()
      if (abort?.signal.aborted) throw abort.signal.reason
      code = submit(this._native)
    } catch (error) {
      return Promise.reject(error)
    }
    const promise = this._host.wait(code)
    return abort === undefined ? promise : abort.watch(code, promise)
  }

  /** A command of the table. The way of every method, so it takes no detour. */
  _run (index, args) {
    const host = this._host
    if (host.isRunning && this._abort === undefined && !tracing.isOn()) {
      return host.wait(submit(this._handle, index, ...args))
    }
    return tracing.command(this, table[index].name, args.length, () => this._take(() => submit(this._handle, index, ...args)))
  }

  /** Commands that are sent in one go. */
  pipeline () {
    return new Batch(this, false)
  }

  /** Commands that run together or not at all. */
  multi () {
    return new Batch(this, true)
  }

  /**
   * Calls `body(view, transaction)`: it reads through the view, and fills the transaction. Again,
   * whenever the keys have changed meanwhile; resolves to the replies of the transaction.
   */
  async watch (keys, body) {
    if (typeof body !== 'function') throw usage(`watch needs a function to call, not ${given.what(body)}`)
    return watch(this, keys, body)
  }

  /** Messages of these channels: read what this returns by `for await`. */
  subscribe (...channels) {
    const { patterns = [], shards = [] } = given.isObject(channels.at(-1)) ? channels.pop() : {}
    return this._subscribe([[BY.channel, channels.flat()], [BY.pattern, [patterns].flat()], [BY.shard, [shards].flat()]])
  }

  _subscribe (groups, listener) {
    const wanted = groups.flatMap(([by, names]) => names.map((name) => [by, name]))
    return new Subscription(this, wanted, async () => {
      for (const [by, names] of groups) if (names.length > 0) await this._hub.add(by, names, listener)
      return this._hub.count
    })
  }

  get _hub () {
    const root = this._root
    if (root._hubOfAll === undefined) {
      root._hubOfAll = new Hub(root)
      root._host.endWith(root._hubOfAll)
    }
    return root._hubOfAll
  }

  /** A Lua script, to be called with `{ keys, args }`. */
  script (source) {
    if (typeof source !== 'string' && !ArrayBuffer.isView(source)) {
      throw usage(`the source of the script is ${given.what(source)}; write text or a Buffer`)
    }
    return makeScript(this, this._native.script(source))
  }

  /** Resolves to this client once the primary is verified. */
  async ready () {
    await this.call('PING')
    return this
  }

  /** All keys, fetched page by page: `MATCH`, `COUNT` and `TYPE` as in SCAN. */
  async * scanIterator (options) {
    for await (const keys of this._pages('scan', [], options)) yield * keys
  }

  /** All members of a set. */
  async * sScanIterator (key, options) {
    for await (const members of this._pages('sscan', [key], options)) yield * members
  }

  /** All pairs of field and value of a hash. */
  async * hScanIterator (key, options) {
    for await (const fields of this._pages('hscan', [key], options)) {
      // With NOVALUES there are the fields alone.
      yield * Array.isArray(fields) ? fields : Object.entries(fields)
    }
  }

  /** All pairs of member and score of a sorted set. */
  async * zScanIterator (key, options) {
    for await (const pairs of this._pages('zscan', [key], options)) yield * pairs
  }

  async * _pages (name, args, wanted) {
    const scan = this._native.scan(indexOf(name), [...args, given.options(wanted, name)])
    while (!scan.isOver) {
      yield await tracing.command(this, name.toUpperCase(), args.length, () => this._take((native) => native.submitScan(scan)))
    }
  }

  /** Who is primary, its replicas and the Sentinels, as far as is known. */
  topology () {
    this._begin()
    return this._native.topology()
  }

  /** `state`: ready, degraded, failing_over or down, with details; asks nobody. */
  health () {
    if (this._host.isClosed) return { state: 'down', reason: closed().message }
    this._begin()
    return this._native.health()
  }

  /** Figures since the client was made; `{ format: 'prometheus' }` as text for a scraper. */
  stats ({ format } = {}) {
    if (format === undefined) return this._native.stats()
    if (format === 'prometheus') return this._native.prometheus()
    throw usage(`there is no format ${format}; write prometheus, or nothing`)
  }

  _begin () {
    if (this._host.isRunning) return
    this._host.start()
    this._began()
  }

  /** For those who want to know when it connects. */
  _began () {}

  /** Which argument or variable supplied each setting, passwords cut. */
  explain () {
    return JSON.parse(this._native.explain())
  }

  /** What is odd about the settings, one sentence each. */
  warnings () {
    return this._native.warnings()
  }

  /** Lets the process end although the client is open. */
  unref () {
    this._host.keepAlive(false)
    return this
  }

  /** Undoes `unref`. */
  ref () {
    this._host.keepAlive(true)
    return this
  }

  /** No more commands; resolves when those that wait have ended. */
  close () {
    return this._host.end()
  }

  /** Ends everything at once; calls that wait are told so. */
  destroy () {
    this._host.destroy()
  }

  _tell ({ name, ...event }) {
    this._call(() => this._root.emit(name, event))
  }

  /** Calls what others have written. */
  _call (listener) {
    try {
      listener()
    } catch (error) {
      // What a listener throws is its own affair, and no reason to lose an event or a reply.
      process.emitWarning(error instanceof Error ? error : new Error(String(error)))
    }
  }
}

// Listeners of a view are the client's.
for (const name of ['on', 'once', 'off', 'addListener', 'removeListener', 'prependListener', 'prependOnceListener', 'removeAllListeners', 'emit']) {
  const method = EventEmitter.prototype[name]
  Client.prototype[name] = function (...args) {
    const result = method.apply(this._root, args)
    return result === this._root ? this : result
  }
}

if (Symbol.asyncDispose) {
  Client.prototype[Symbol.asyncDispose] = function () { return this.close() }
  Client.prototype[Symbol.dispose] = function () { this.destroy() }
}

module.exports = { Client }
