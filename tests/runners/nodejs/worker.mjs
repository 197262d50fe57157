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
  increments: (client, key) => [
    ['incr', key, () => client.incr(key)],
    ['get', key, () => client.get(key)]
  ],
  reads: (client, key) => [['get', key, () => client.get(key)]],
  pipelines: (client, key, { batch }) => [['incr', key, () => {
    const pipeline = client.pipeline()
    for (let i = 0; i < batch; i++) pipeline.incr(key)
    return pipeline.outcomes()
  }]],
  transactions: (client, key) => [['multi', key, () => client.multi().incr(`${key}:a`).incr(`${key}:b`).exec()]],
  scripts: (client, key) => [['eval', key, () => client.eval(SCRIPT, 2, `${key}:a`, `${key}:b`)]]
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
    const steps = ROUNDS[order.workload](client, `${order.prefix}n${worker}`, order)
    while (!stopped()) {
      for (const step of steps) await perform(step, each)
      await sleep(order.think_ms)
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
