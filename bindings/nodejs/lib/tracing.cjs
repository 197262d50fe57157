'use strict'
// Tells tools that watch the process of every command: `steadis:command` of diagnostics_channel.

const { tracingChannel } = require('node:diagnostics_channel')
const { table } = require('./commands.cjs')

const channel = tracingChannel('steadis:command')
const { start, end, asyncStart, asyncEnd, error } = channel

const isOn = () => start.hasSubscribers || end.hasSubscribers || asyncStart.hasSubscribers || asyncEnd.hasSubscribers || error.hasSubscribers

/** Carries a command out under the eyes of those who trace. Values are not shown, only how many. */
function trace (client, index, args, run) {
  const primary = client._native.topology()?.primary ?? undefined
  const colon = primary?.lastIndexOf(':')
  const context = {
    command: table[index].name.replace('|', ' '),
    args: args.map(() => '?'),
    serverAddress: primary?.slice(0, colon),
    serverPort: primary === undefined ? undefined : Number(primary.slice(colon + 1))
  }
  return channel.tracePromise(run, context)
}

module.exports = { isOn, trace }
