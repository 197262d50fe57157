'use strict'
// Commands that are sent in one go, as a pipeline or as a transaction.

const { functions: { add, batch } } = require('./native.cjs')
const { methods, withMethods } = require('./commands.cjs')
const { classes: { SteadisError } } = require('./errors.cjs')
const { flat } = require('./given.cjs')
const tracing = require('./tracing.cjs')

const commands = methods((index) => function (...args) {
  return this._add(index, args)
})

/** Collects commands; `exec` sends them. */
class Batch extends withMethods(Object, commands) {
  constructor (client, isTransaction) {
    super()
    this.client = client
    this.isTransaction = isTransaction
    this._commands = batch()
    this.length = 0
    this.error = undefined
  }

  /** Appends any command. */
  call (...args) {
    let words
    try {
      words = flat(args)
    } catch (error) {
      return this._took(error)
    }
    return this._took(this.client._native.addWords(this._commands, words))
  }

  /** Appends the call of a script. */
  run (script, { keys = [], args = [] } = {}) {
    return this._took(this.client._native.addScript(this._commands, script.native, keys, args))
  }

  _add (index, args) {
    return this._took(add(this._commands, index, ...args))
  }

  _took (error) {
    // The first wrong command is what `exec` reports; nothing of the batch is sent then.
    this.error ??= error
    this.length++
    return this
  }

  /**
   * Sends the commands, and resolves to their replies. If a command failed, it rejects with its
   * error, whose `replies` has what came of each.
   */
  async exec () {
    return Batch.replies(await this.outcomes())
  }

  /** The replies, unless a command failed. */
  static replies (outcomes) {
    const failed = outcomes.find((outcome) => outcome instanceof SteadisError)
    if (failed === undefined) return outcomes
    throw Object.defineProperty(failed, 'replies', { value: outcomes, configurable: true })
  }

  /** Sends the commands, and resolves to the reply or the error of each. */
  outcomes () {
    if (this.error !== undefined) return Promise.reject(this.error)
    if (this.length === 0) return Promise.resolve([])
    const submit = (native) => native.submitBatch(this._commands, this.isTransaction)
    return tracing.batch(this.client, this.isTransaction, this.length, () => this.client._take(submit))
  }
}

module.exports = { Batch }
