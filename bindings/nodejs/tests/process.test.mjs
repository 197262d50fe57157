// How the client lives in a process: its end, its threads, and what others throw at it.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import * as esm from 'steadis'
import { ends, withLab } from './lab.mjs'

const { connect, Client, Resolver } = esm
withLab()

function open (t, ...given) {
  const client = connect(...given)
  t.after(() => client.destroy())
  return client
}

test('the process ends when the client is closed', async () => {
  assert.equal(await ends('const client = connect(); console.log(await client.set("key", "value")); await client.close()'), 'OK')
})

test('the process ends while an unref’ed client is open, whatever it waits for', async () => {
  assert.equal(await ends('const client = connect(); await client.subscribe("news", () => {}); await client.ping(); client.unref(); console.log("over")'), 'over')
  assert.equal(await ends('const client = connect(); await client.ping(); client.blpop("nothing", 0); client.unref(); console.log("over")'), 'over')
  assert.equal(await ends('const client = connect().unref(); client.ref(); console.log(await client.ping()); client.unref()'), 'PONG')
})

test('the process ends when nothing but a resolver or an unused client is left', async () => {
  assert.equal(await ends('const { Resolver } = await import("steadis"); connect(); new Resolver(); console.log("over")'), 'over')
})

test('a call that waits for a primary keeps the process alive until its deadline', async () => {
  const said = await ends('connect({ sentinels: ["127.0.0.1:1"], primaryName: "x", env: false, failoverTimeout: 300 }).get("key").catch(({ kind }) => console.log(kind))')
  assert.equal(said, 'Unavailable')
})

test('no rejection comes from inside', async () => {
  const said = await ends(`
    const nowhere = { sentinels: ['127.0.0.1:1'], primaryName: 'x', env: false, failoverTimeout: 100, commandTimeout: 100, connectTimeout: 100 }
    const client = connect(nowhere)
    client.on('ready', () => {})
    client.subscribe('news')
    client.subscribe('news', () => {})
    client.unsubscribe('other')
    const messages = client.subscribe('read')[Symbol.asyncIterator]()
    client.get('key', () => {})
    client.multi().incr('n').exec(() => {})
    for (const call of [client.get('key'), client.multi().incr('n').exec(), client.watch(['key'], () => {}), client.connect(), client.ready(), messages.next()]) call.catch(() => {})
    await client.get('key').catch(() => {})
    const controller = new AbortController()
    const call = client.options({ signal: controller.signal }).get('key')
    controller.abort()
    await call.catch(() => {})
    const other = connect(nowhere)
    const pending = other.blpop('key', 0).catch(() => {})
    other.destroy()
    await pending
    client.get('key').catch(() => {})
    await client.close()
    client.quit()
    console.log('over')
  `)
  assert.equal(said, 'over')
})

test('what a callback throws is thrown outside, and nothing of the client breaks', async () => {
  const said = await ends(`
    const thrown = []
    process.on('uncaughtException', (error) => thrown.push(error.message))
    const client = connect()
    const bad = (name) => () => { throw new Error(name) }
    await client.set('key', 'value', bad('set'))
    await client.get('key', bad('get'))
    await client.call('GET', 'key', bad('call'))
    await client.pipeline().get('key', bad('queued')).exec(bad('exec'))
    await new Promise(setImmediate)
    console.log(thrown.sort().join(), await client.get('key'))
    await client.close()
  `)
  assert.equal(said, 'call,exec,get,queued,set value')
})

test('what listeners throw becomes a warning, and nothing of the client breaks', async (t) => {
  const client = open(t)
  const warned = []
  const warn = ({ message }) => warned.push(message)
  process.on('warning', warn)
  t.after(() => process.off('warning', warn))
  client.on('ready', () => { throw new Error('at ready') })
  let heard = 0
  await client.subscribe('news', () => { heard++; throw new Error('at message') })
  const publisher = open(t)
  for (let i = 0; i < 3; i++) await publisher.publish('news', 'x')
  const reader = client.subscribe('news')[Symbol.asyncIterator]()
  await reader.ear.ready()
  await publisher.publish('news', 'last')
  assert.equal((await reader.next()).value.data, 'last')
  assert.ok(heard >= 3)
  assert.equal(await client.ping(), 'PONG')
  assert.ok(warned.includes('at ready') && warned.includes('at message'), warned.join())
})

test('threads have clients of their own, and may be ended in the middle of calls', async () => {
  const source = `
    const { parentPort } = require('node:worker_threads')
    const { connect } = require('steadis')
    const client = connect()
    client.on('failover', () => {})
    client.subscribe('news', () => {})
    const work = async () => { for (;;) await client.incr('threads') }
    client.ping().then(() => { parentPort.postMessage('busy'); for (let i = 0; i < 50; i++) work() })
  `
  for (let round = 0; round < 3; round++) {
    const workers = Array.from({ length: 4 }, () => new Worker(source, { eval: true }))
    await Promise.all(workers.map((it) => once(it, 'message')))
    assert.deepEqual(await Promise.all(workers.map((it) => it.terminate())), [1, 1, 1, 1])
  }
})

test('both module systems have one client between them', async (t) => {
  const cjs = createRequire(import.meta.url)('steadis')
  for (const name of Object.keys(cjs)) if (!['Client', 'Resolver'].includes(name)) assert.equal(esm[name], cjs[name], name)
  assert.deepEqual(Object.keys(esm).filter((it) => it !== 'default').sort(), Object.keys(cjs).sort())
  assert.equal(esm.default, cjs)
  const [one, other] = [open(t), cjs.connect()]
  t.after(() => other.destroy())
  for (const client of [one, other, new Client(), new cjs.Client()]) {
    t.after(() => client.destroy())
    assert.ok(client instanceof Client && client instanceof cjs.Client)
  }
  assert.ok(!(new Resolver() instanceof Client))
  class Mine extends Client { mine () { return this.get('module') } }
  const mine = new Mine()
  t.after(() => mine.destroy())
  await one.set('module', 'shared')
  assert.equal(await mine.mine(), 'shared')
  assert.ok(mine.duplicate() instanceof Mine)
})

test('using and await using', { skip: !Symbol.asyncDispose && 'this Node.js has no symbols for it' }, async () => {
  const client = connect()
  assert.equal(await client.ping(), 'PONG')
  await client[Symbol.asyncDispose]()
  assert.equal(client.status, 'end')
  const other = connect()
  const call = other.blpop('nothing', 0)
  other[Symbol.dispose]()
  await assert.rejects(call, esm.ClosedError)
  const resolver = new Resolver()
  resolver[Symbol.dispose]()
})
