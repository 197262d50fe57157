// Two Socket.IO servers that talk by Redis: by its channels, and by its streams.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { createAdapter as createPubSubAdapter } from '@socket.io/redis-adapter'
import { createAdapter as createStreamsAdapter } from '@socket.io/redis-streams-adapter'
import { Server } from 'socket.io'
import { io as connectTo } from 'socket.io-client'
import { connect } from '../../index.mjs'
import { through, withLab } from './helpers.mjs'

const lab = withLab()

const ADAPTERS = {
  '@socket.io/redis-adapter': (name, pub, sub) => createPubSubAdapter(pub, sub, { key: name }),
  '@socket.io/redis-streams-adapter': (name, pub) => createStreamsAdapter(pub, { streamName: name, channelPrefix: name, blockTimeInMs: 200 })
}

/** A Socket.IO server, and a browser that is connected to it. */
async function serve (t, name, make) {
  // The adapters publish without looking at what comes of it, so nothing may come of a lost answer.
  const clients = [connect({ retryWrites: 'always' }), connect({ retryWrites: 'always' })]
  const httpServer = createServer().listen(0, '127.0.0.1')
  const io = new Server(httpServer, { adapter: make(name, ...clients), connectionStateRecovery: {} })
  await once(httpServer, 'listening')
  const url = `http://127.0.0.1:${httpServer.address().port}`
  const browser = connectTo(url, { transports: ['websocket'] })
  t.after(async () => {
    browser.disconnect()
    await io.close()
    await Promise.all(clients.map((it) => it.close()))
  })
  await once(browser, 'connect')
  return { io, browser, url, client: clients[0], adapter: io.of('/').adapter }
}

/** Two servers that know of one another. */
async function pair (t, name, make) {
  const servers = await Promise.all([serve(t, name, make), serve(t, name, make)])
  const [{ adapter, io }, { browser }] = servers
  while (await adapter.serverCount() < 2);
  // Who reads a stream from its end misses what comes before the first look.
  const state = { isHeard: false }
  browser.once('hello', () => { state.isHeard = true })
  while (!state.isHeard) {
    io.emit('hello')
    await adapter.serverCount()
  }
  return servers
}

for (const [name, make] of Object.entries(ADAPTERS)) {
  test(`${name}: rooms, acknowledgements and what servers ask of one another`, async (t) => {
    const [one, two] = await pair(t, 'able', make)
    const heard = once(two.browser, 'news')
    one.io.emit('news', 'grüße', Buffer.from([0, 255]))
    // With streams the browser is told the place in the stream as well.
    assert.deepEqual((await heard).slice(0, 2), ['grüße', Buffer.from([0, 255])])
    const sockets = await one.io.fetchSockets()
    assert.equal(sockets.length, 2)
    const joined = once(two.adapter, 'join-room')
    sockets.find((it) => it.id === two.browser.id).join('room')
    await joined
    two.browser.once('asked', (reply) => reply('answer'))
    assert.deepEqual(await one.io.to('room').timeout(30_000).emitWithAck('asked'), ['answer'])
    two.io.once('among servers', (reply) => reply('here'))
    assert.deepEqual(await one.io.serverSideEmitWithAck('among servers'), ['here'])
  })

  for (const fault of ['planned', 'kill']) {
    test(`${name}: messages through a failover: ${fault}`, async (t) => {
      const [one, two] = await pair(t, fault, make)
      const heard = []
      two.browser.on('tick', (number) => heard.push(number))
      let sent = 0
      const emit = async () => {
        one.io.emit('tick', ++sent)
        await one.client.exists('x')
      }
      const { errors } = await through(lab, one.client, fault, emit, 1)
      assert.deepEqual(errors, [])
      const before = sent
      while (!(heard.at(-1) > before)) await emit()
      assert.ok(heard.every((number, i) => i === 0 || number >= heard[i - 1]), 'in the order in which they were sent')
      const missing = before - new Set(heard.filter((it) => it <= before)).size
      // A channel keeps nothing: what is sent while nobody listens is gone. A stream does.
      if (name.includes('streams')) assert.ok(missing <= (fault === 'planned' ? 0 : 20), `${missing} of ${before} messages are missing`)
    })
  }
}

test('@socket.io/redis-streams-adapter: who comes back gets what was missed', async (t) => {
  const [one, two] = await pair(t, 'recovery', ADAPTERS['@socket.io/redis-streams-adapter'])
  const { browser } = two
  const first = once(browser, 'tick')
  one.io.emit('tick', 1)
  await first
  const left = once(two.io.of('/').sockets.get(browser.id), 'disconnect')
  browser.io.engine.close()
  await left
  one.io.emit('tick', 2)
  const [missed] = await once(browser, 'tick')
  assert.equal(missed, 2)
  assert.equal(browser.recovered, true)
})
