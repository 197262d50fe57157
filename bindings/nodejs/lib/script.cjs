'use strict'

const tracing = require('./tracing.cjs')

/**
 * A Lua script: call it with `{ keys, args }`. It goes by its digest, and every new primary learns
 * it before it gets commands.
 */
function makeScript (client, native) {
  const script = ({ keys = [], args = [] } = {}) => tracing.command(client, 'evalsha', keys.length + args.length, () => {
    return client._take((it) => it.submitScript(native, keys, args))
  })
  script.digest = native.digest
  script.native = native
  return script
}

module.exports = { makeScript }
