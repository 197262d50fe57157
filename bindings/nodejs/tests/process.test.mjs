// How the client lives in a process: its end, its threads, its memory, and what others throw at it.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once, getEventListeners } from 'node:events'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import * as esm from 'steadis'
import { root, withLab } from './lab.mjs'

const { connect, Client, Resolver } = esm
withLab()

function open (t, ...given) {
  const client = connect(...given)
  t.after(() => client.destroy())
  return client
}

/** Runs a program to its end; what it said. Any unhandled rejection ends it with another status. */
async function ends (source, ...flags) {
  const args = ['--unhandled-rejections=strict', ...flags, '--input-type=module', '--eval', `import { connect } from 'steadis'; ${source}`]
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  const said = []
  for (const output of [child.stdout, child.stderr]) output.on('data', (data) => said.push(data))
  const [code] = await once(child, 'close')
  const text = Buffer.concat(said).toString()
  assert.equal(code, 0, text)
  return text.trim()
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

test('a storm of abort signals ends its calls and leaves nothing behind', async (t) => {
  const client = open(t)
  await client.ping()
  const warned = []
  const warn = (warning) => warned.push(warning)
  process.on('warning', warn)
  t.after(() => process.off('warning', warn))
  let aborted = 0
  for (let round = 0; round < 50; round++) {
    const controllers = Array.from({ length: 20 }, () => new AbortController())
    const calls = controllers.flatMap((it, i) => {
      const view = client.options({ signal: it.signal })
      // Some are answered before they are aborted, some wait on the server.
      return Array.from({ length: 10 }, (_, j) => (i + j) % 2 ? view.incr('storm') : view.blpop('nothing', 0))
    })
    const outcomes = Promise.allSettled(calls)
    if (round % 2) await client.ping()
    controllers.forEach((it) => it.abort())
    for (const { status, reason } of await outcomes) {
      if (status === 'fulfilled') continue
      assert.equal(reason.name, 'AbortError')
      aborted++
    }
    for (const { signal } of controllers) assert.equal(getEventListeners(signal, 'abort').length, 0)
  }
  assert.ok(aborted >= 50 * 100)
  // Replies of those that were sent do not reach anybody else.
  await client.set('after', 'the storm')
  assert.deepEqual(await Promise.all([client.get('after'), client.ping(), client.get('after')]), ['the storm', 'PONG', 'the storm'])
  assert.equal(client._host.pending, 0)
  assert.deepEqual(warned, [])
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

test('memory does not grow with a million commands', async () => {
  const said = await ends(`
    const client = connect()
    const value = 'x'.repeat(64)
    const round = async (count) => {
      for (let i = 0; i < count; i += 1000) {
        await Promise.all(Array.from({ length: 500 }, () => [client.set('million', value), client.get('million')]).flat())
      }
      globalThis.gc()
      const { heapUsed, external, rss } = process.memoryUsage()
      return { js: (heapUsed + external) / 2 ** 20, rss: rss / 2 ** 20 }
    }
    await round(200_000)
    const before = await round(100_000)
    const after = await round(1_000_000)
    console.log(JSON.stringify({ js: after.js - before.js, rss: after.rss - before.rss }))
    await client.close()
  `, '--expose-gc')
  const { js, rss } = JSON.parse(said)
  // The least that a command could leave behind, a few dozen bytes, would be several times that.
  assert.ok(js < 8, said)
  assert.ok(rss < 32, said)
})

test('a slow server is not sent more than it takes, and in the end everything is answered', async (t) => {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address()
  probe.close()
  await once(probe, 'close')
  const slow = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', ''], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => slow.kill('SIGKILL'))
  const lines = createInterface({ input: slow.stdout })
  for await (const line of lines) if (line.includes('Ready to accept')) break
  slow.stdout.resume()
  const client = open(t, { host: '127.0.0.1', port, env: false, commandTimeout: 100_000 })
  await client.ping()
  const [{ socket }] = client._host.links.values()
  slow.kill('SIGSTOP')
  const value = 'x'.repeat(10_000)
  const calls = []
  let most = 0
  for (let i = 0; i < 4000; i++) {
    calls.push(client.set('slow', value), client.incr('order'))
    if (i % 10 === 0) await new Promise(setImmediate)
    most = Math.max(most, socket.writableLength)
  }
  // Forty megabytes wait, and hardly any of it with the socket: what is there cannot be held back.
  assert.ok(most < 4 << 20, `${most} bytes were with the socket`)
  slow.kill('SIGCONT')
  const replies = await Promise.all(calls)
  assert.deepEqual(replies.filter((_, i) => i % 2).slice(-2), [3999, 4000])
  assert.ok(replies.every((it, i) => i % 2 ? it === (i + 1) / 2 : it === 'OK'))
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
  await client.rpush('bytes', bytes, bytes, 'text')
  const [first, second, text] = await client.buffers.lrange('bytes', 0, -1)
  assert.deepEqual([first, second, text], [bytes, bytes, Buffer.from('text')])
  await client.buffers.lrange('bytes', 0, -1)
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
