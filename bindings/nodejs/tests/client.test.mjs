// The client itself, against a deployment.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { connect, createClient, ClosedError, ServerError, SteadisError, UsageError } from 'steadis'
import { withLab } from './lab.mjs'

withLab()

/** A client for one test. */
function open (t, options) {
  const client = connect(options)
  t.after(() => client.destroy())
  return client
}

test('five lines', async (t) => {
  const client = open(t)
  assert.equal(await client.set('cart:7', '3 items', { EX: 900 }), 'OK')
  assert.equal(await client.get('cart:7'), '3 items')
  assert.ok(await client.ttl('cart:7') > 800)
  assert.equal(createClient, connect)
})

test('values keep what they are', async (t) => {
  const client = open(t, { bigints: true })
  const bytes = Buffer.from([0, 255, 13, 10])
  await client.set('bytes', bytes)
  assert.deepEqual(await client.buffers.get('bytes'), bytes)
  await client.set('text', 'grüße 🙂')
  assert.equal(await client.get('text'), 'grüße 🙂')
  assert.equal(await client.get('nothing'), null)
  await client.set('large', 2n ** 62n)
  assert.equal(await client.incr('large'), 2n ** 62n + 1n)
  await client.hset('hash', { a: 1, b: 2.5 })
  assert.deepEqual(await client.hgetall('hash'), { a: '1', b: '2.5' })
  await client.rpush('list', 'x', Buffer.from('y'), 3)
  assert.deepEqual(await client.lrange('list', 0, -1), ['x', 'y', '3'])
  assert.deepEqual(await client.buffers.lrange('list', 0, -1), [Buffer.from('x'), Buffer.from('y'), Buffer.from('3')])
})

test('large integers are BigInts where that is wanted', async (t) => {
  const client = open(t)
  const large = 2n ** 53n + 1n
  await client.set('large', large)
  const exact = open(t, { bigints: true })
  assert.equal(await exact.incrby('large', 0), large)
  assert.equal(await exact.incr('small'), 1)
  assert.equal(await client.options({ bigints: true }).incrby('large', 0), large)
  assert.equal(typeof await client.incrby('large', 0), 'number')
  assert.equal(await client.get('large'), String(large))
})

test('Buffers are views that nobody else writes to', async (t) => {
  const client = open(t)
  const bytes = Buffer.from([0, 255, 128, 10])
  await client.rpush('views', bytes, bytes, 'text')
  const [first, second, text] = await client.buffers.lrange('views', 0, -1)
  assert.deepEqual([first, second, text], [bytes, bytes, Buffer.from('text')])
  await client.buffers.lrange('views', 0, -1)
  assert.deepEqual(second, bytes)
  assert.deepEqual(await client.buffers.hgetall('nothing'), {})
  assert.equal(await client.buffers.get('nothing'), null)
  // An argument is read when the call is made.
  const given = Buffer.from('before')
  const call = client.set('given', given)
  given.write('after!')
  await call
  assert.equal(await client.get('given'), 'before')
})

test('what the server refuses is an error of its own', async (t) => {
  const client = open(t)
  await client.set('word', 'x')
  await assert.rejects(client.incr('word'), (error) => {
    assert.ok(error instanceof ServerError && error instanceof SteadisError)
    assert.equal(error.kind, 'Server')
    assert.equal(error.code, 'ERR')
    assert.equal(error.command, 'INCR')
    assert.equal(error.maybeExecuted, false)
    return error.message.startsWith('ERR value is not an integer')
  })
})

test('commands of one tick go out in one write, and many in a few', async (t) => {
  const client = open(t)
  await client.del('written')
  const [{ trunk: { socket } }] = client._host.links.values()
  const writes = t.mock.method(socket, 'write')
  for (const [count, least] of [[1, 1], [31, 1], [100, 4]]) {
    const before = writes.mock.callCount()
    const replies = await Promise.all(Array.from({ length: count }, () => client.incr('written')))
    assert.equal(writes.mock.callCount() - before, least, `${count} commands`)
    assert.deepEqual(replies, replies.map((_, i) => replies[0] + i))
  }
})

test('options of calls', async (t) => {
  const client = open(t)
  assert.equal(await client.blpop('nothing', 0.01), null)
  const signal = AbortSignal.abort(new Error('enough'))
  await assert.rejects(client.options({ signal }).get('x'), /enough/)
  const controller = new AbortController()
  const waiting = Array.from({ length: 100 }, () => client.options({ signal: controller.signal }).blpop('nothing', 0))
  controller.abort()
  const outcomes = await Promise.allSettled(waiting)
  assert.ok(outcomes.every((it) => it.reason?.name === 'AbortError'))
  assert.equal(await client.options({ timeout: 5000, retryWrites: 'always' }).incr('counted'), 1)
  assert.throws(() => client.options({ timeuot: 1 }), UsageError)
})

test('pipelines, transactions and scripts', async (t) => {
  const client = open(t)
  assert.deepEqual(await client.pipeline().set('p', 1).incr('p').get('p').exec(), ['OK', 2, '2'])
  const outcomes = await client.pipeline().incr('p').lpush('p', 1).get('p').outcomes()
  assert.equal(outcomes[0], 3)
  assert.equal(outcomes[1].code, 'WRONGTYPE')
  assert.equal(outcomes[2], '3')
  await assert.rejects(client.pipeline().lpush('p', 1).exec(), ({ replies }) => replies.length === 1)
  assert.deepEqual(await client.multi().incr('p').incr('p').exec(), [4, 5])
  assert.deepEqual(await client.pipeline().exec(), [])
  const add = client.script('return redis.call("INCRBY", KEYS[1], ARGV[1])')
  assert.equal(await add({ keys: ['p'], args: [5] }), 10)
  assert.deepEqual(await client.multi().run(add, { keys: ['p'], args: [1] }).exec(), [11])
})

test('watched keys: again when somebody else was faster', async (t) => {
  const client = open(t)
  await client.set('balance', 10)
  let attempts = 0
  const replies = await client.watch(['balance'], async (view, transaction) => {
    const balance = Number(await view.get('balance'))
    if (++attempts === 1) await client.incr('balance')
    transaction.set('balance', balance * 2)
  })
  assert.deepEqual(replies, ['OK'])
  assert.equal(attempts, 2)
  assert.equal(await client.get('balance'), '22')
  await assert.rejects(client.watch(['balance'], () => { throw new Error('mine') }), /mine/)
})

test('messages by for await, and by listeners', async (t) => {
  const client = open(t)
  const messages = client.subscribe('news', { patterns: ['user.*'] })
  await messages.ready()
  await client.publish('news', 'hello')
  await client.publish('user.7', 'hi')
  const read = []
  for await (const it of messages) {
    read.push([it.channel, it.pattern, it.data])
    if (read.length === 2) break
  }
  assert.deepEqual(read.sort(), [['news', null, 'hello'], ['user.7', 'user.*', 'hi']])
})

test('all keys, batch by batch', async (t) => {
  const client = open(t)
  const names = Array.from({ length: 300 }, (_, i) => `scan:${i}`)
  await client.mset(names.flatMap((name) => [name, 1]))
  const found = new Set()
  for await (const key of client.scanIterator({ MATCH: 'scan:*', COUNT: 50 })) found.add(String(key))
  assert.deepEqual(found, new Set(names))
})

test('all elements of a key, page by page', async (t) => {
  const client = open(t)
  const names = Array.from({ length: 700 }, (_, i) => `e${i}`)
  await client.del('s', 'h', 'z')
  await client.sadd('s', names)
  await client.hset('h', Object.fromEntries(names.map((name, i) => [name, i])))
  await client.zadd('z', names.map((name, i) => [i, name]))
  const all = async (iterator) => { const found = []; for await (const it of iterator) found.push(it); return found }
  assert.deepEqual(new Set(await all(client.sScanIterator('s', { COUNT: 50 }))), new Set(names))
  const fields = Object.fromEntries(await all(client.hScanIterator('h', { MATCH: 'e*', COUNT: 50 })))
  assert.equal(Object.keys(fields).length, 700)
  assert.equal(fields.e699, '699')
  const scores = new Map(await all(client.zScanIterator('z')))
  assert.equal(scores.size, 700)
  assert.equal(scores.get('e7'), 7)
  const buffers = new Map(await all(client.buffers.hScanIterator('h')))
  assert.ok([...buffers.values()].every(Buffer.isBuffer) && buffers.size === 700)
  assert.deepEqual(await all(client.asNodeRedis().hScanIterator('h', { MATCH: 'e5' })), [[{ field: 'e5', value: '5' }]])
  await assert.rejects(all(client.zScanIterator('h')), (error) => error.code === 'WRONGTYPE')
  await assert.rejects(all(client.hScanIterator('h', { MATHC: 'x' })), { kind: 'Usage' })
})

test('what is known of the deployment', async (t) => {
  const client = await open(t).ready()
  assert.equal(client.health().state, 'ready')
  assert.match(client.topology().primary, /^127\.0\.0\.1:\d+$/)
  assert.equal(client.topology().sentinels.length, 3)
  assert.ok(client.stats().calls >= 1)
  assert.match(client.stats({ format: 'prometheus' }), /^steadis_calls_total \d+$/m)
  assert.throws(() => client.stats({ format: 'xml' }), UsageError)
  assert.ok(JSON.stringify(client.explain()).includes('REDIS_SENTINEL_LIST'))
})

test('close waits for what is under way, and refuses what comes after', async () => {
  const client = connect()
  const replies = Promise.all(Array.from({ length: 50 }, () => client.incr('closing')))
  await client.close()
  assert.equal((await replies).at(-1), 50)
  await assert.rejects(client.get('closing'), (error) => error instanceof ClosedError && error.message === 'Connection is closed.')
  assert.equal(client.health().state, 'down')
  await client.close()
})

test('a thread of workers has clients of its own', async () => {
  const worker = new Worker(`
    const { parentPort } = require('node:worker_threads')
    const { connect } = require('steadis')
    const client = connect()
    client.incr('worker').then(async (count) => { await client.close(); parentPort.postMessage(count) })
  `, { eval: true })
  // Either may come first, as far as we are told.
  const exit = once(worker, 'exit')
  assert.deepEqual(await once(worker, 'message'), [1])
  assert.deepEqual(await exit, [0])
})
