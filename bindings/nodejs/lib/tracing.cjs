'use strict'
// Tells tools that watch the process of every command and of every batch: `steadis:command` and
// `steadis:batch` of diagnostics_channel. Values are not shown, only how many there are.

const { tracingChannel } = require('node:diagnostics_channel')

const commands = tracingChannel('steadis:command')
const batches = tracingChannel('steadis:batch')

const listens = ({ start, end, asyncStart, asyncEnd, error }) => start.hasSubscribers || end.hasSubscribers || asyncStart.hasSubscribers || asyncEnd.hasSubscribers || error.hasSubscribers

/** Whether anybody traces commands. */
const isOn = () => listens(commands)

/** Carries a command with so many arguments out under the eyes of those who trace. */
function command (client, name, count, run) {
  if (!isOn()) return run()
  const context = { command: name.toUpperCase().replace('|', ' '), args: Array(count).fill('?'), ...address(client) }
  return commands.tracePromise(run, context)
}

/** The same for a batch of so many commands. */
function batch (client, isTransaction, count, run) {
  if (!listens(batches)) return run()
  return batches.tracePromise(run, { batchMode: isTransaction ? 'MULTI' : 'PIPELINE', batchSize: count, ...address(client) })
}

/** The primary, if it is known already. */
function address (client) {
  const primary = client._native.topology()?.primary ?? undefined
  const colon = primary?.lastIndexOf(':')
  return { serverAddress: primary?.slice(0, colon), serverPort: primary && Number(primary.slice(colon + 1)) }
}

module.exports = { isOn, command, batch }
