'use strict'
// Optimistic transactions: what was read must not have changed when EXEC comes.

const { Batch } = require('./batch.cjs')

/** Calls `body(view, transaction)` until the transaction it fills could be executed. */
async function watch (client, keys, body) {
  const host = client._host
  const native = client._native
  client._begin()
  const id = native.watchOpen([keys].flat())
  if (typeof id !== 'number') throw id
  const run = (index, args) => host.wait(native.watchRun(id, index, args))
  const view = Object.create(client, { _run: { value: run } })
  try {
    for (;;) {
      await host.wait(native.watchBegin(id))
      const transaction = new Batch(client, true)
      transaction.outcomes = () => Promise.reject(new TypeError('the transaction is executed when the function has returned'))
      try {
        await body(view, transaction)
      } catch (error) {
        // What was read on a connection that is gone proves nothing.
        if (native.watchIsLost(id)) continue
        throw error
      }
      if (transaction.error !== undefined) throw transaction.error
      if (transaction.length === 0) return []
      const outcomes = await host.wait(native.watchCommit(id, transaction._commands))
      if (outcomes !== null) return Batch.replies(outcomes)
    }
  } finally {
    native.watchClose(id)
    host.look()
  }
}

module.exports = { watch }
