// The examples do what they say, beside a deployment and through its failovers.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect } from 'steadis'
import { start, withLab } from './lab.mjs'

const lab = withLab('--down-after', '1500ms')

async function run (name, ...args) {
  const { code, said } = await start(`examples/nodejs/${name}.mjs`, ...args).over
  assert.equal(code, 0, said)
  return said
}

test('five_lines', async () => {
  assert.equal(await run('five_lines'), '3 items')
})

test('connect', async () => {
  assert.match(await run('connect'), /^3 items\nthe primary is 127\.0\.0\.1:\d+, 2 replicas follow it\nhealth: ready$/)
})

test('pipeline', async () => {
  assert.match(await run('pipeline'), /^0: OK\n1: WRONGTYPE .*\n2: 5\naccounts: -10 10$/)
})

test('pubsub', async () => {
  const program = start('examples/nodejs/pubsub.mjs')
  await program.line('listening')
  const client = connect()
  assert.equal(await client.publish('user.7', 'hello'), 1)
  assert.equal(await client.publish('news', 'bye'), 1)
  await client.close()
  const { code, said } = await program.over
  assert.equal(code, 0, said)
  assert.equal(said, 'listening\nuser.7: hello\nnews: bye')
})

test('failover_loop', async () => {
  const program = start('examples/nodejs/failover_loop.mjs', '400')
  await program.line('100 visits')
  await lab.ask('failover')
  const { code, said } = await program.over
  assert.equal(code, 0, said)
  assert.match(said, /the primary is 127\.0\.0\.1:\d+ now, after/)
  assert.match(said, /^400 visits$/m)
})
