// @fastify/rate-limit defines a command of its own, and calls it with a callback.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import rateLimit from '@fastify/rate-limit'
import fastify from 'fastify'
import { open, through, withLab } from './helpers.mjs'

const lab = withLab()

async function serve (t, client, options) {
  const app = fastify()
  t.after(() => app.close())
  await app.register(rateLimit, { redis: client, timeWindow: 3_600_000, skipOnError: false, ...options })
  app.get('/', async () => 'ok')
  return () => app.inject('/')
}

test('the limit holds', async (t) => {
  const ask = await serve(t, open(t), { nameSpace: 'limit:', max: 3 })
  const responses = []
  for (let i = 0; i < 5; i++) responses.push(await ask())
  assert.deepEqual(responses.map((it) => it.statusCode), [200, 200, 200, 429, 429])
  assert.deepEqual(responses.slice(0, 3).map((it) => it.headers['x-ratelimit-remaining']), ['2', '1', '0'])
})

for (const fault of ['planned', 'kill']) {
  test(`it counts through a failover: ${fault}`, async (t) => {
    const client = open(t, { retryWrites: fault === 'planned' ? 'unsent' : 'always' })
    const max = 1e9
    const ask = await serve(t, client, { nameSpace: `${fault}:`, max })
    const { steps, errors } = await through(lab, client, fault, async () => {
      const response = await ask()
      assert.equal(response.statusCode, 200, response.body)
    })
    assert.deepEqual(errors, [])
    const hits = max - Number((await ask()).headers['x-ratelimit-remaining']) - 1
    if (fault === 'planned') assert.equal(hits, steps)
    // What was under way in each lane may count twice, or go with the primary.
    else assert.ok(Math.abs(hits - steps) <= 20, `${hits} hits for ${steps} requests`)
  })
}
