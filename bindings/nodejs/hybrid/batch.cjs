'use strict'
// Pipelines and transactions that take what ioredis and node-redis take.

const { Batch } = require('../lib/batch.cjs')
const { table, names } = require('../lib/commands.cjs')
const { classes: { SteadisError } } = require('../lib/errors.cjs')
const { habits, spread } = require('./arguments.cjs')
const { taken, tell } = require('./callbacks.cjs')
const { split } = require('./scripts.cjs')
const shapes = require('./shapes.cjs')

class HybridBatch extends Batch {
  constructor (client, isTransaction) {
    super(client, isTransaction)
    /** What each reply becomes; `undefined` leaves it. */
    this.shapes = []
    this.callbacks = []
    this.isPairs = client._isIORedis === true
    for (const [name, { script, numberOfKeys }] of client._scripts) {
      this[name] = (...args) => this.run(script, split(args, numberOfKeys))
    }
  }

  /** `[['get', 'k'], …]` of ioredis. */
  addAll (commands = []) {
    for (const [name, ...args] of commands) this[name](...args)
    return this
  }

  // BullMQ puts this method of its own on the batches of an ioredis client, and then expects
  // ioredis' pairs of them.
  get runCommand () {
    return undefined
  }

  set runCommand (method) {
    this.isPairs = true
    Object.defineProperty(this, 'runCommand', { value: method })
  }

  _add (name, row, index, args) {
    this.callbacks[this.length] = taken(args)
    this.shapes[this.length] = shapes.nodeRedis[name] ?? shapes.ioredis[name]
    args = spread(args)
    return this._took(this.commands.add(index, habits[row.camel]?.(...args) ?? args))
  }

  /** Sends the commands; resolves to their replies, or for ioredis to `[error, reply]` of each. */
  exec (callback) {
    return tell(this._replies(), callback)
  }

  async _replies () {
    const outcomes = (await this.outcomes()).map((reply, i) => this._told(reply, i))
    if (!this.isPairs) return Batch.replies(outcomes)
    return outcomes.map((it) => it instanceof SteadisError ? [it, undefined] : [null, it])
  }

  _told (reply, i) {
    const isError = reply instanceof SteadisError
    if (!isError && reply !== null && this.shapes[i]) reply = this.shapes[i](reply)
    if (this.callbacks[i]) process.nextTick(this.callbacks[i], ...(isError ? [reply] : [null, reply]))
    return reply
  }

  /** All commands in one write, without a transaction, as node-redis has it. */
  execAsPipeline () {
    this.isTransaction = false
    return this.exec()
  }
}

for (const [index, row] of table.entries()) {
  if (!row.method) continue
  for (const name of names(row)) {
    const method = function (...args) { return this._add(name, row, index, args) }
    Object.defineProperty(HybridBatch.prototype, name, { value: method, configurable: true, writable: true })
  }
}

module.exports = { HybridBatch }
