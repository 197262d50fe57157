// What the tests of other people's packages share: a deployment, its failovers, and a load meanwhile.

import { once } from 'node:events'
import { createServer } from 'node:http'
import { after, beforeEach } from 'node:test'
import { connect } from '../../index.mjs'
import { Lab } from '../lab.mjs'

/**
 * A deployment for the tests of a file, and another one after a test that had its primary go:
 * that is quicker than to wait until all is well again.
 */
export function withLab () {
  const lab = { all: [], isSpent: true, ask: (...request) => lab.all.at(-1).ask(...request) }
  beforeEach(async () => {
    if (!lab.isSpent) return
    // Its Sentinels are slow enough never to take a new primary for a dead one.
    const fresh = new Lab('--down-after', '1500ms')
    lab.all.push(fresh)
    await fresh.ready
    Object.assign(process.env, fresh.environment)
    lab.isSpent = false
  })
  after(() => Promise.all(lab.all.map((it) => it.end())))
  return lab
}

/** A client that is gone when the test is. */
export function open (t, options) {
  const client = connect(options)
  t.after(() => client.destroy())
  return client
}

/** A server on loopback that is gone when the test is; resolves to its URL. */
export async function listen (t, handler) {
  const server = createServer(handler).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close().closeAllConnections())
  return `http://127.0.0.1:${server.address().port}`
}

/** Has the primary go; resolves to what brings the deployment back to full strength. */
export async function failed (lab, fault) {
  lab.isSpent = true
  const { primary: name } = await lab.ask('status')
  if (fault === 'planned') {
    await lab.ask('failover')
    return () => {}
  }
  await lab.ask(fault, { name })
  return () => lab.ask(fault === 'kill' ? 'restart' : 'thaw', { name })
}

/** Resolves when the client has moved to another primary. */
export async function moved (client) {
  for (;;) {
    const [{ from, ...event }] = await once(client, 'failover')
    // The first one, from nowhere, is the primary that was found.
    if (from !== null) return { from, ...event }
  }
}

/** Everybody agrees who is primary, and every replica has all its data. */
export async function settled (lab) {
  for (const until of ['agreed', 'in-sync']) await lab.ask('wait', { until, timeout_ms: 60_000 })
}

/**
 * Has `lanes` side by side repeat `step(lane)` while the primary goes: some before, some meanwhile
 * and at least one each after. Resolves to how many steps there were, and what they threw.
 */
export async function through (lab, client, fault, step, lanes = 4) {
  await settled(lab)
  const errors = []
  const counts = new Array(lanes).fill(0)
  const turn = async (lane) => {
    await Promise.resolve(step(lane)).catch((error) => errors.push(error))
    counts[lane]++
  }
  await Promise.all(counts.map((_, lane) => turn(lane)))
  const state = { isOver: false }
  const load = Promise.all(counts.map(async (_, lane) => {
    while (!state.isOver) await turn(lane)
    await turn(lane)
  }))
  let event
  try {
    const over = moved(client)
    await failed(lab, fault)
    event = await over
  } finally {
    state.isOver = true
    await load
  }
  return { steps: counts.reduce((sum, it) => sum + it, 0), errors, event }
}
