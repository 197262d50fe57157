'use strict'

const { HybridClient: Client } = require('./hybrid/client.cjs')
const { Resolver } = require('./lib/resolver.cjs')
const { classes } = require('./lib/errors.cjs')

/** A client of what the URL, the options or the environment describe, at once; commands may follow. */
function connect (url, options) {
  return new Client(url, options)
}

module.exports = { connect, createClient: connect, Client, Resolver, ...classes }
