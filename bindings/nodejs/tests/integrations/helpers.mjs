// What the tests of other people's packages share: a deployment, its failovers, and a load meanwhile.

import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect } from '../../index.mjs'
import { withLab as lab } from '../lab.mjs'

/** A deployment whose Sentinels are slow enough never to take a new primary for a dead one. */
export const withLab = () => lab('--down-after', '1500ms')

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
  let restore, event
  try {
    const over = moved(client)
    restore = await failed(lab, fault)
    event = await over
  } finally {
    state.isOver = true
    await load
    await restore?.()
  }
  return { steps: counts.reduce((sum, it) => sum + it, 0), errors, event }
}
