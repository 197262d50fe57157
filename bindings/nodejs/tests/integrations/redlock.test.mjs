// Locks of redlock: nobody holds one together with somebody else, whatever becomes of the primary.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import Redlock from 'redlock'
import Redlock4 from 'redlock-4'
import { open, through, withLab } from './helpers.mjs'

const lab = withLab()
const PATIENCE = { retryCount: 1000, retryDelay: 20, retryJitter: 10 }

test('redlock 5: acquire, extend, release, using', async (t) => {
  const client = open(t)
  const redlock = new Redlock([client], { retryCount: 0 })
  const lock = await redlock.acquire(['a', 'b'], 60_000)
  await assert.rejects(redlock.acquire(['b'], 60_000), { name: 'ExecutionError' })
  const longer = await lock.extend(120_000)
  assert.ok(await client.pttl('a') > 60_000)
  await longer.release()
  assert.equal(await client.exists('a', 'b'), 0)
  assert.equal(await redlock.using(['a'], 60_000, async (signal) => signal.aborted), false)
})

test('redlock 4: lock, extend, unlock, with callbacks inside', async (t) => {
  const client = open(t)
  const redlock = new Redlock4([client], { retryCount: 0 })
  const lock = await redlock.lock('old', 60_000)
  await assert.rejects(redlock.lock('old', 60_000), { name: 'LockError' })
  await lock.extend(120_000)
  assert.ok(await client.pttl('old') > 60_000)
  await lock.unlock()
  assert.equal(await client.exists('old'), 0)
})

for (const fault of ['planned', 'kill']) {
  test(`one holder at a time through a failover: ${fault}`, async (t) => {
    const client = open(t, { retryWrites: fault === 'planned' ? 'unsent' : 'always' })
    const redlock = new Redlock([client], PATIENCE)
    let holders = 0
    let held = 0
    const { steps, errors } = await through(lab, client, fault, () => redlock.using([`lock:${fault}`], 30_000, async () => {
      assert.equal(++holders, 1)
      await client.incr(`held:${fault}`)
      held++
      holders--
    }))
    // A lock that only the killed primary knew of is not there to be released.
    if (fault === 'planned') assert.deepEqual(errors, [])
    else assert.ok(errors.length <= 1 && errors.every((it) => it.name === 'ExecutionError'), String(errors))
    assert.equal(held, steps)
    if (fault === 'planned') assert.equal(Number(await client.get(`held:${fault}`)), steps)
  })
}
