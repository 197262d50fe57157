'use strict'

const { classes } = require('./lib/errors.cjs')

/** A client of what the URL, the options or the environment describe, at once; commands may follow. */
function connect (url, options) {
  const { HybridClient } = require('./hybrid/client.cjs')
  return new HybridClient(url, options)
}

module.exports = {
  connect,
  createClient: connect,
  // A program that imports them and does nothing yet has not to wait for them.
  get Client () { return require('./hybrid/client.cjs').HybridClient },
  get Resolver () { return require('./lib/resolver.cjs').Resolver },
  ...classes
}
