// Fifty requests a second for half a minute while the primary goes: no HTTP error, and no session
// and no visit lost in a planned failover. ioredis and node-redis, as their documentation has them,
// serve the same load beside it for comparison.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import express from 'express'
import session from 'express-session'
import { RedisStore as RedisStore8 } from 'connect-redis-8'
import { RedisStore as RedisStore10 } from 'connect-redis-10'
import { Redis } from 'ioredis'
import { createSentinel } from 'redis'
import { connect } from '../../index.mjs'
import { failed, listen, settled, withLab } from './helpers.mjs'

const lab = withLab()
const SECONDS = 30
const PER_SECOND = 50
const VISITORS = 25
/** Nobody waits longer for a page. */
const PATIENCE_MS = 60_000

const sentinels = () => process.env.REDIS_SENTINEL_LIST.split(',').map((it) => it.split(':')).map(([host, port]) => ({ host, port: Number(port) }))
const name = () => process.env.REDIS_SENTINEL_MASTER

/** Each a client and the generation of connect-redis that takes it. */
const CONTENDERS = {
  steadis: async () => {
    const client = connect({ retryWrites: 'always' })
    return { client, RedisStore: RedisStore10, close: () => client.destroy() }
  },
  ioredis: async () => {
    const client = new Redis({ sentinels: sentinels(), name: name() })
    return { client: client.on('error', () => {}), RedisStore: RedisStore8, close: () => client.disconnect() }
  },
  'node-redis': async () => {
    const client = createSentinel({ name: name(), sentinelRootNodes: sentinels() })
    await client.on('error', () => {}).connect()
    return { client, RedisStore: RedisStore10, close: () => client.destroy() }
  }
}

/** An application with sessions, which also writes down every visit. */
async function serve (t, prefix, contender) {
  const { client, RedisStore, close } = await contender()
  t.after(close)
  const app = express()
  const store = new RedisStore({ client, prefix: `${prefix}:session:` })
  app.use(session({ store, secret: 'of this test', resave: false, saveUninitialized: false }))
  app.get('/:visit', async (request, response) => {
    request.session.views = (request.session.views ?? 0) + 1
    await client.set(`${prefix}:visit:${request.params.visit}`, 'x')
    response.json({ views: request.session.views })
  })
  // What reaches it is counted by its status; Express would print it as well.
  app.use((error, request, response, next) => response.status(500).end(String(error)))
  return listen(t, app)
}

/** The visitors of one application, and what they saw. */
class Audience {
  constructor (url) {
    this.url = url
    this.cookies = []
    this.visits = []
    this.errors = []
    this.lostSessions = 0
    this.latencies = []
  }

  async visit (number) {
    const place = number % VISITORS
    const cookie = this.cookies[place]
    const began = performance.now()
    try {
      const headers = cookie ? { cookie } : {}
      const response = await fetch(`${this.url}/${number}`, { headers, signal: AbortSignal.timeout(PATIENCE_MS) })
      const body = await response.text()
      if (response.status !== 200) throw new Error(body)
      if (cookie && JSON.parse(body).views === 1) this.lostSessions++
      this.cookies[place] ??= response.headers.get('set-cookie').split(';')[0]
      this.visits.push(number)
    } catch (error) {
      this.errors.push(error)
    }
    this.latencies.push(performance.now() - began)
  }

  /** Of the visits that were answered with 200, those that the primary does not know. */
  async lostVisits (client, prefix) {
    const found = await client.mget(this.visits.map((it) => `${prefix}:visit:${it}`))
    return found.filter((it) => it === null).length
  }
}

/** Calls `tick(number)` as often as the load wants it; resolves when its last call has. */
async function load (tick) {
  const calls = []
  await new Promise((resolve) => {
    const timer = setInterval(() => {
      calls.push(tick(calls.length))
      if (calls.length === SECONDS * PER_SECOND) { clearInterval(timer); resolve() }
    }, 1000 / PER_SECOND)
  })
  await Promise.all(calls)
}

for (const fault of ['planned', 'freeze', 'kill']) {
  test(`an Express application under load: ${fault}`, async (t) => {
    await settled(lab)
    const audiences = {}
    for (const [name, contender] of Object.entries(CONTENDERS)) {
      audiences[name] = new Audience(await serve(t, `${fault}:${name}`, contender))
    }
    const all = Object.values(audiences)
    for (let i = 0; i < VISITORS; i++) await Promise.all(all.map((it) => it.visit(-1 - i)))
    for (const it of all) it.latencies = []
    let restored
    await load((number) => {
      // A primary that was lost comes back after ten seconds, as one that somebody restarts.
      if (number === 5 * PER_SECOND) restored = failed(lab, fault)
      if (number === 15 * PER_SECOND) restored = restored.then((restore) => restore())
      return Promise.all(all.map((it) => it.visit(number)))
    })
    await restored
    // Only then is the old primary's word worth nothing, and what it alone took is lost.
    await settled(lab)
    const client = connect()
    t.after(() => client.destroy())
    const lines = [`${fault}: ${SECONDS} s with ${PER_SECOND} requests a second`]
    for (const [name, it] of Object.entries(audiences)) {
      it.lost = await it.lostVisits(client, `${fault}:${name}`)
      const sorted = it.latencies.toSorted((a, b) => a - b)
      const [middle, worst] = [sorted[sorted.length >> 1], sorted.at(-1)].map((ms) => ms.toFixed(0).padStart(6))
      lines.push(`  ${name.padEnd(11)}${String(it.errors.length).padStart(4)} errors  worst ${worst} ms  p50 ${middle} ms` +
        `  lost ${String(it.lost).padStart(4)} answered writes, ${it.lostSessions} sessions`)
    }
    // The comparison is for people; it decides nothing.
    process.stderr.write(`${lines.join('\n')}\n`)
    const { steadis } = audiences
    assert.deepEqual(steadis.errors, [])
    assert.equal(steadis.latencies.length, SECONDS * PER_SECOND)
    assert.equal(steadis.lostSessions, 0)
    // What no replica has yet goes with a primary that is lost.
    assert.ok(steadis.lost <= (fault === 'planned' ? 0 : 20), `${steadis.lost} answered writes are lost`)
  })
}
