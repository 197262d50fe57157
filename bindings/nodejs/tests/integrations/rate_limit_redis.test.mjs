// express-rate-limit counts in Redis by scripts of its own: what it counts outlives the primary.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import express from 'express'
import { rateLimit } from 'express-rate-limit'
import { RedisStore } from 'rate-limit-redis'
import { listen, open, through, withLab } from './helpers.mjs'

const lab = withLab()

/** An application that answers how often it was asked. */
async function serve (t, prefix, limit, sendCommand) {
  const store = new RedisStore({ sendCommand, prefix })
  const app = express().use(rateLimit({ windowMs: 3_600_000, limit, store, validate: false }))
  app.get('/', (request, response) => response.json(request.rateLimit.used))
  return { url: await listen(t, app), store }
}

for (const [habit, send] of [
  ['ioredis', (client) => (...words) => client.call(...words)],
  ['node-redis', (client) => (...words) => client.sendCommand(words)]
]) {
  test(`the limit holds, in the words of ${habit}`, async (t) => {
    const { url, store } = await serve(t, habit, 3, send(open(t)))
    const statuses = []
    for (let i = 0; i < 5; i++) statuses.push((await fetch(url)).status)
    assert.deepEqual(statuses, [200, 200, 200, 429, 429])
    await store.resetKey('127.0.0.1')
    assert.equal((await fetch(url)).status, 200)
  })
}

for (const fault of ['planned', 'kill']) {
  test(`it counts through a failover: ${fault}`, async (t) => {
    const client = open(t, { retryWrites: fault === 'planned' ? 'unsent' : 'always' })
    const { url, store } = await serve(t, fault, 1e9, (...words) => client.sendCommand(words))
    const { steps, errors } = await through(lab, client, fault, async () => {
      const response = await fetch(url)
      assert.equal(response.status, 200, await response.text())
    })
    assert.deepEqual(errors, [])
    const { totalHits } = await store.get('127.0.0.1')
    if (fault === 'planned') assert.equal(totalHits, steps)
    // What was under way in each lane may count twice, or go with the primary.
    else assert.ok(Math.abs(totalHits - steps) <= 20, `${totalHits} hits for ${steps} requests`)
  })
}
