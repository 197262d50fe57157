'use strict'
// Pipelines and transactions that take what ioredis and node-redis take.

const { Batch } = require('../lib/batch.cjs')
const { methods, withMethods } = require('../lib/commands.cjs')
const { classes: { SteadisError } } = require('../lib/errors.cjs')
const { habits, inHabit } = require('./arguments.cjs')
const { called, taken } = require('./callbacks.cjs')
const { split } = require('./scripts.cjs')
const shapes = require('./shapes.cjs')

const commands = methods((index, { camel }, name) => {
  const habit = habits[camel]
  const shape = shapes.nodeRedis[name] ?? shapes.ioredis[name]
  return function (...args) {
    const callback = taken(args)
    if (callback !== undefined) this.callbacks.set(this.length, callback)
    if (shape !== undefined) this.shapes.set(this.length, shape)
    const words = inHabit(habit, args)
    return words instanceof SteadisError ? this._took(words) : this._add(index, words)
  }
})

class HybridBatch extends withMethods(Batch, commands) {
  constructor (client, isTransaction) {
    super(client, isTransaction)
    /** What replies become and who else is told, by the places of their commands. */
    this.shapes = new Map()
    this.callbacks = new Map()
    this.isPairs = client._isIORedis === true
    for (const [name, { script, numberOfKeys }] of client._scripts ?? []) {
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

  /** Sends the commands; resolves to their replies, or for ioredis to `[error, reply]` of each. */
  async exec (callback) {
    let replies
    try {
      const outcomes = await this.outcomes()
      for (const [place, shape] of this.shapes) outcomes[place] = shaped(outcomes[place], shape)
      for (const [place, callback] of this.callbacks) called(callback, ...pair(outcomes[place]))
      replies = this.isPairs ? outcomes.map(pair) : Batch.replies(outcomes)
    } catch (error) {
      if (callback === undefined) throw error
      called(callback, error)
      return
    }
    if (callback !== undefined) called(callback, null, replies)
    return replies
  }

  /** All commands in one write, without a transaction, as node-redis has it. */
  execAsPipeline () {
    this.isTransaction = false
    return this.exec()
  }
}

/** An outcome as ioredis has it. */
const pair = (it) => it instanceof SteadisError ? [it, undefined] : [null, it]
const shaped = (it, shape) => it == null || it instanceof SteadisError ? it : shape(it)

module.exports = { HybridBatch }
