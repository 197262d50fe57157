// Clients with the same settings share a connection, and nobody notices but the server.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect } from 'steadis'
import { ends, withLab } from './lab.mjs'

withLab()

let tests = 0

/** Makes clients for one test, which are told apart from all others by their name. */
function group (t) {
  const clientName = `sharing-${++tests}`
  const clients = []
  return {
    open: (options) => {
      const client = connect({ clientName, ...options })
      clients.push(client)
      t.after(() => client.destroy())
      return client
    },
    /** How many connections of theirs the server has. */
    connections: async () => {
      const list = await clients[0].call('CLIENT', 'LIST')
      return list.split('\n').filter((line) => line.includes(`name=${clientName} `)).length
    }
  }
}

/** Has them connect one after the other: who comes while another introduces itself goes elsewhere. */
async function inTurn (...clients) {
  for (const it of clients) await it.ping()
}

/** So many calls at once, each of which knows its reply. */
const many = (client, count, own) => Promise.all(Array.from({ length: count }, (_, i) => client.echo(`${own}:${i}`)))
const wanted = (count, own) => Array.from({ length: count }, (_, i) => `${own}:${i}`)

test('one connection for all that come while it is idle', async (t) => {
  const { open, connections } = group(t)
  const clients = Array.from({ length: 8 }, () => open())
  await inTurn(...clients)
  assert.equal(await connections(), 1)
  const replies = await Promise.all(clients.map((it, i) => many(it, 20, i)))
  replies.forEach((it, i) => assert.deepEqual(it, wanted(20, i)))
  const ids = await Promise.all(clients.map((it) => it.call('CLIENT', 'ID')))
  assert.equal(new Set(ids).size, 1)
})

test('other settings, and the wish for it, make a connection of one’s own', async (t) => {
  const { open, connections } = group(t)
  const shared = open()
  await shared.ping()
  for (const options of [{}, { commandTimeout: 4000 }]) await open(options).ping()
  assert.equal(await connections(), 1)
  for (const options of [{ db: 1 }, { protocol: 2 }, { ownConnection: true }, { ownConnection: true }]) {
    const before = await connections()
    await open(options).ping()
    assert.equal(await connections(), before + 1, JSON.stringify(options))
  }
  const before = await connections()
  const duplicate = shared.duplicate()
  t.after(() => duplicate.destroy())
  await duplicate.ping()
  assert.equal(await connections(), before + 1)
  assert.throws(() => open({ ownConnection: 'yes' }), { kind: 'Usage' })
})

test('all kinds of replies find whom they are for', async (t) => {
  const { open } = group(t)
  const [text, bytes, other] = [open(), open().buffers, open()]
  await inTurn(text, bytes, other)
  const large = 'x'.repeat(200_000)
  const both = [text.set('large', large), other.hset('shared', { a: 1, b: 2 }), bytes.rpush('list', 'x', 'y')]
  await Promise.all(both)
  for (let round = 0; round < 20; round++) {
    const calls = [
      text.get('large'), other.hgetall('shared'), bytes.lrange('list', 0, -1), bytes.get('large'),
      text.pipeline().get('large').echo('p').exec(), other.multi().hget('shared', 'a').echo('m').exec(),
      text.get('nothing'), assert.rejects(other.incr('list'), { code: 'WRONGTYPE' })
    ]
    const [one, map, list, buffer, pipeline, multi, nothing] = await Promise.all(calls)
    assert.ok(one === large && buffer.equals(Buffer.from(large)) && pipeline[0] === large)
    assert.deepEqual([map, list, pipeline[1], multi, nothing], [{ a: '1', b: '2' }, [Buffer.from('x'), Buffer.from('y')], 'p', ['1', 'm'], null])
  }
})

test('the end of one client is no matter to others', async (t) => {
  const { open, connections } = group(t)
  const [first, second, third] = [open(), open(), open()]
  await inTurn(first, second, third)
  const doomed = Promise.allSettled(Array.from({ length: 50 }, () => second.incr('doomed')))
  const replies = [many(first, 50, 'first'), many(third, 50, 'third')]
  await new Promise(process.nextTick)
  second.destroy()
  for (const { reason } of await doomed) assert.ok(['MaybeExecuted', 'Closed'].includes(reason.kind), reason.kind)
  assert.deepEqual(await Promise.all(replies), [wanted(50, 'first'), wanted(50, 'third')])
  await third.close()
  assert.deepEqual(await many(first, 50, 'first'), wanted(50, 'first'))
  assert.equal(await connections(), 1)
})

test('who is alone again has it to himself, and can be joined again', async (t) => {
  const { open, connections } = group(t)
  const first = open()
  for (let round = 0; round < 3; round++) {
    const other = open()
    await inTurn(first, other)
    await other.close()
    assert.deepEqual(await many(first, 100, round), wanted(100, round))
  }
  assert.equal(await connections(), 1)
})

test('a name of its own comes with a connection of its own', async (t) => {
  const { open, connections } = group(t)
  const [first, second] = [open(), open()]
  await inTurn(first, second)
  const calls = [second.set('order', 1), second.client('SETNAME', 'own-name'), second.get('order'), second.append('order', '2')]
  assert.deepEqual(await Promise.all(calls), ['OK', 'OK', '1', 2])
  assert.equal(await second.call('CLIENT', 'GETNAME'), 'own-name')
  assert.match(await first.call('CLIENT', 'GETNAME'), /^sharing-/)
  assert.equal(await connections(), 1)
})

test('who would wait for a great deal of others’ replies goes on elsewhere, in order', async (t) => {
  const { open, connections } = group(t)
  const [busy, quick] = [open(), open()]
  await inTurn(busy, quick)
  assert.equal(await connections(), 1)
  await busy.set('bulk', 0)
  const bulk = Array.from({ length: 5000 }, () => busy.incr('bulk'))
  await new Promise(process.nextTick)
  const replies = await many(quick, 10, 'quick')
  assert.deepEqual(replies, wanted(10, 'quick'))
  assert.equal((await Promise.all(bulk)).at(-1), 5000)
  assert.equal(await connections(), 2)
})

test('who would wait until a large value has left goes on elsewhere', async (t) => {
  const { open, connections } = group(t)
  const [busy, quick] = [open({ commandTimeout: 100_000 }), open({ commandTimeout: 100_000 })]
  await inTurn(busy, quick)
  const large = busy.set('large', Buffer.alloc(16 << 20))
  await new Promise(process.nextTick)
  assert.deepEqual(await many(quick, 10, 'quick'), wanted(10, 'quick'))
  assert.equal(await large, 'OK')
  assert.equal(await connections(), 2)
})

test('a connection that is lost is lost for all, and everybody goes on', async (t) => {
  const { open, connections } = group(t)
  const [first, second] = [open(), open()]
  await inTurn(first, second)
  const waiting = [first, second].map((it) => it.blpop('released', 0))
  const id = await first.call('CLIENT', 'ID')
  const other = open({ ownConnection: true })
  const killed = other.call('CLIENT', 'KILL', 'ID', String(id))
  const replies = await Promise.all([many(first, 20, 'first'), many(second, 20, 'second'), killed])
  assert.deepEqual(replies, [wanted(20, 'first'), wanted(20, 'second'), 1])
  await other.rpush('released', 'a', 'b')
  assert.equal((await Promise.all(waiting)).length, 2)
  assert.ok(await connections() >= 1)
})

test('a shared connection keeps the process alive for as long as anybody does', async () => {
  const start = 'const [a, b] = [connect(), connect()]; await a.ping(); await b.ping();'
  assert.equal(await ends(`${start} a.unref(); b.unref(); console.log('over')`), 'over')
  assert.equal(await ends(`${start} a.unref(); setTimeout(async () => { console.log(await b.ping()); await b.close() }, 50).unref()`), 'PONG')
  assert.equal(await ends(`${start} await a.close(); b.unref(); console.log('over')`), 'over')
})
