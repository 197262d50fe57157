// The worker of the scenarios: does what the driver orders and logs every operation.
//
// The protocol is in docs/scenarios.md. All cleverness is the driver's.

import { createInterface } from 'node:readline'
import { writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from '../../../bindings/nodejs/index.mjs'

const SCRIPT = "return {redis.call('INCR', KEYS[1]), redis.call('INCR', KEYS[2])}"
const EVENTS = ['failover', 'hold', 'resume', 'sentinel', 'replicas', 'warning']

const now = () => process.hrtime.bigint()
/** Times are beyond what a number of JavaScript holds exactly, so they are put in as digits. */
const print = (line, times = '') => writeSync(1, JSON.stringify(line).replace(/}$/, `${times}}\n`))

/** What each worker does in a round: the name of the operation, its key, and how it is done. */
const ROUNDS = {
  increments: ({ client, key }) => [
    ['incr', key, () => client.incr(key)],
    ['get', key, () => client.get(key)]
  ],
  reads: ({ client, key }) => [['get', key, () => client.get(key)]],
  pipelines: ({ client, key, batch }) => [['incr', key, () => {
    const pipeline = client.pipeline()
    for (let i = 0; i < batch; i++) pipeline.incr(key)
    return pipeline.outcomes()
  }]],
  transactions: ({ client, key }) => [['multi', key, () => client.multi().incr(`${key}:a`).incr(`${key}:b`).exec()]],
  scripts: ({ client, key }) => [['eval', key, () => client.eval(SCRIPT, 2, `${key}:a`, `${key}:b`)]],
  watch: ({ client, key }) => [['watch', key, () => addOne(client, key)]],
  blocking: ({ client, key, shared, gives }) => {
    let turn = 0
    if (gives) return [['push', key, () => client.rpush(shared, ++turn)]]
    return [['pop', key, async () => {
      const popped = await client.blpop(shared, 1)
      return popped && [popped[0], Number(popped[1])]
    }]]
  },
  streams: ({ client, key, shared, gives }) => {
    let [turn, last] = [0, '0']
    if (gives) return [['add', key, () => client.xadd(shared, '*', 'n', ++turn)]]
    return [['entry', key, async () => {
      const read = await client.xread('COUNT', 1, 'BLOCK', 1000, 'STREAMS', shared, last)
      if (read === null) return null
      const [[stream, [[id, [, number]]]]] = read
      last = id
      return [stream, Number(number)]
    }]]
  },
  pubsub: ({ client, key, shared, gives }) => {
    let turn = 0
    if (gives) return [['publish', key, () => client.publish(shared, ++turn)]]
    const news = new News(client.subscribe(shared))
    return [['message', key, () => news.next(1000)]]
  }
}

/** Nobody else may change the key meanwhile. */
async function addOne (client, key) {
  let value
  await client.watch([key], async (view, transaction) => {
    value = Number(await view.get(key)) + 1
    transaction.set(key, value)
  })
  return value
}

/** Messages that are waited for only so long. */
class News {
  constructor (subscription) {
    this.messages = subscription[Symbol.asyncIterator]()
  }

  async next (patience) {
    // One that comes too late is what the next round hears.
    this.coming ??= this.messages.next()
    const impatience = new AbortController()
    const silence = sleep(patience, { value: null }, { signal: impatience.signal }).catch(() => {})
    try {
      const { value } = await Promise.race([this.coming, silence])
      if (value !== null) this.coming = undefined
      return value && (value.type === 'gap' ? 'gap' : Number(value.data))
    } catch (error) {
      this.coming = undefined
      throw error
    } finally {
      impatience.abort()
    }
  }
}

const failure = ({ kind, code = null, message }) => ({ kind: kind ?? 'Internal', code, message })

async function perform ([op, key, run], each) {
  const start = now()
  const log = (line) => print({ op, key, ...line }, `,"start":${start},"end":${now()}`)
  const outcome = (value) => value instanceof Error ? { error: failure(value) } : { value }
  try {
    const value = await run()
    if (each) value.forEach((value) => log(outcome(value)))
    else log({ value })
  } catch (error) {
    for (let i = 0; i < (each || 1); i++) log({ error: failure(error) })
  }
}

async function work (order, stopped) {
  if (!ROUNDS[order.workload]) return
  const start = now()
  let client
  try {
    client = connect()
  } catch (error) {
    return print({ op: 'connect', key: '', error: failure(error) }, `,"start":${start},"end":${now()}`)
  }
  for (const event of EVENTS) {
    client.on(event, (says) => print({ event, says: JSON.stringify(says) }, `,"at":${now()}`))
  }
  const each = order.workload === 'pipelines' ? order.batch : 0
  await Promise.all(Array.from({ length: order.workers }, async (_, worker) => {
    // Workers 6 and 7 share what is called 7: one takes or hears what the other gives.
    const gives = worker % 2 === 1
    const [key, shared] = [`${order.prefix}n${worker}`, `${order.prefix}n${worker | 1}:shared`]
    const steps = ROUNDS[order.workload]({ client, key, shared, gives, batch: order.batch })
    // Who waits for a partner needs no sleep.
    const pause = ['blocking', 'streams', 'pubsub'].includes(order.workload) && !gives ? 0 : order.think_ms
    while (!stopped()) {
      for (const step of steps) await perform(step, each)
      await sleep(pause)
    }
  }))
  await client.close()
}

let stop = false
let first = true
let working = Promise.resolve()
const lines = createInterface({ input: process.stdin })
print({ ready: true, workloads: Object.keys(ROUNDS) })
lines.on('line', (line) => {
  if (!first) { stop = true; return lines.close() }
  first = false
  working = work(JSON.parse(line), () => stop)
})
lines.on('close', async () => {
  stop = true
  await working
  print({ done: true })
  process.stdin.destroy()
})
