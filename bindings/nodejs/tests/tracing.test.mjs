// Tools that trace a process are told of every command and of every batch.

import assert from 'node:assert/strict'
import { tracingChannel } from 'node:diagnostics_channel'
import { test } from 'node:test'
import { connect } from 'steadis'
import { withLab } from './lab.mjs'

withLab()

/** What a channel tells while a test runs: the names of the events with their contexts. */
function listen (t, name) {
  const told = []
  const names = ['start', 'end', 'asyncStart', 'asyncEnd', 'error']
  const listeners = Object.fromEntries(names.map((name) => [name, (context) => told.push([name, { ...context }])]))
  const channel = tracingChannel(name)
  channel.subscribe(listeners)
  t.after(() => channel.unsubscribe(listeners))
  return { told, end: () => channel.unsubscribe(listeners) }
}

async function open (t) {
  const client = await connect().ready()
  t.after(() => client.destroy())
  return client
}

test('a command, from its call to its reply', async (t) => {
  const client = await open(t)
  const { told, end } = listen(t, 'steadis:command')
  assert.equal(await client.set('traced', 'secret', 'EX', 10), 'OK')
  assert.deepEqual(told.map(([name]) => name), ['start', 'end', 'asyncStart', 'asyncEnd'])
  const [host, port] = client.topology().primary.split(':')
  const [, { result, ...context }] = told.at(-1)
  assert.deepEqual(context, { command: 'SET', args: ['?', '?', '?', '?'], serverAddress: host, serverPort: Number(port) })
  assert.equal(result, 'OK')
  assert.ok(!JSON.stringify(told[0]).includes('secret'))
  end()
  await client.get('traced')
  assert.equal(told.length, 4)
})

test('a command that fails, and one that is wrong', async (t) => {
  const client = await open(t)
  const { told } = listen(t, 'steadis:command')
  await client.set('word', 'x')
  for (const call of [() => client.incr('word'), () => client.get(undefined)]) {
    told.length = 0
    const error = await call().catch((it) => it)
    assert.deepEqual(told.map(([name]) => name), ['start', 'end', 'error', 'asyncStart', 'asyncEnd'])
    assert.equal(told.at(-1)[1].error, error)
  }
})

test('any command and scripts, by their names', async (t) => {
  const client = await open(t)
  const add = client.script('return 1')
  const { told } = listen(t, 'steadis:command')
  await client.call('config', 'GET', 'port')
  await client.xGroupCreate('stream', 'group', '$', { MKSTREAM: true })
  await add({ keys: ['a'], args: ['b'] })
  await client.options({ signal: new AbortController().signal }).ping()
  const started = told.filter(([name]) => name === 'start').map(([, { command, args }]) => [command, args.length])
  assert.deepEqual(started, [['CONFIG', 2], ['XGROUP CREATE', 4], ['EVALSHA', 2], ['PING', 0]])
})

test('batches on a channel of their own', async (t) => {
  const client = await open(t)
  const commands = listen(t, 'steadis:command').told
  const { told } = listen(t, 'steadis:batch')
  await client.pipeline().incr('n').incr('n').exec()
  await client.multi().incr('n').exec()
  const started = told.filter(([name]) => name === 'start').map(([, { batchMode, batchSize }]) => [batchMode, batchSize])
  assert.deepEqual(started, [['PIPELINE', 2], ['MULTI', 1]])
  assert.equal(told.filter(([name]) => name === 'asyncEnd').length, 2)
  assert.deepEqual(commands, [])
})
