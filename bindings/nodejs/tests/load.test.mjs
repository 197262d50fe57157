// Much at once: a million commands, storms of signals, and a server that does not keep up.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once, getEventListeners } from 'node:events'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { connect } from 'steadis'
import { ends, withLab } from './lab.mjs'

withLab()

function open (t, ...given) {
  const client = connect(...given)
  t.after(() => client.destroy())
  return client
}

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
  const [{ trunk: { socket } }] = client._host.links.values()
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
