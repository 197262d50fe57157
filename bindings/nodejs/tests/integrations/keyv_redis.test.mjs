// Keyv, which cache-manager and NestJS keep their caches in.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import KeyvRedis from '@keyv/redis'
import Keyv from 'keyv'
import { open, through, withLab } from './helpers.mjs'

const lab = withLab()

/** A cache that tells of every error: by itself it hides them. */
function cache (client, namespace) {
  const keyv = new Keyv({ store: new KeyvRedis(client, { namespace, throwOnErrors: true }), namespace, useKeyPrefix: false })
  keyv.throwOnErrors = true
  return keyv
}

test('what a cache can do', async (t) => {
  const client = open(t)
  const keyv = cache(client, 'able')
  const value = { list: [1, 'grüße', null] }
  assert.equal(await keyv.set('a', value), true)
  assert.deepEqual(await keyv.get('a'), value)
  await keyv.set('brief', 'x', 60_000)
  const ttl = await client.pttl('able::brief')
  assert.ok(ttl > 50_000 && ttl <= 60_000, `${ttl} ms`)
  await keyv.setMany([{ key: 'b', value: 1 }, { key: 'c', value: 2, ttl: 60_000 }])
  assert.deepEqual(await keyv.getMany(['b', 'c', 'none']), [1, 2, undefined])
  assert.equal(await keyv.has('b'), true)
  assert.deepEqual(await keyv.hasMany(['b', 'none']), [true, false])
  assert.equal(await keyv.delete('b'), true)
  assert.equal(await keyv.deleteMany(['c', 'none']), true)
  const found = {}
  for await (const [key, value] of keyv.iterator()) found[key] = value
  assert.deepEqual(found, { a: value, brief: 'x' })
  await client.set('other', 'stays')
  await keyv.clear()
  assert.equal(await keyv.get('a'), undefined)
  assert.equal(await client.get('other'), 'stays')
  await keyv.disconnect()
  assert.equal(client.status, 'end')
})

for (const fault of ['planned', 'kill']) {
  test(`it keeps what it was given through a failover: ${fault}`, async (t) => {
    const client = open(t, { retryWrites: fault === 'planned' ? 'unsent' : 'always' })
    const keyv = cache(client, fault)
    const counts = [0, 0, 0, 0]
    const { errors } = await through(lab, client, fault, async (lane) => {
      const key = `${lane}:${counts[lane]++}`
      await keyv.set(key, key)
      // What no replica has yet goes with a primary that is killed.
      if (fault === 'planned') assert.equal(await keyv.get(key), key)
    })
    assert.deepEqual(errors, [])
    const keys = counts.flatMap((count, lane) => Array.from({ length: count }, (_, i) => `${lane}:${i}`))
    const missing = (await keyv.getMany(keys)).filter((value, i) => value !== keys[i]).length
    if (fault === 'planned') assert.equal(missing, 0)
    else assert.ok(missing <= 20, `${missing} of ${keys.length} are missing`)
  })
}
