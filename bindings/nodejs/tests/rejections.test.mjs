// No rejection that nobody handles comes from inside: a program that looks at its own promises and
// callbacks lives through everything that can go wrong. What a caller throws is the caller's.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { root, withLab } from './lab.mjs'

withLab()

/** Runs a program in a process of its own; what it said, and how it ended. */
async function run (program) {
  const child = spawn(process.execPath, ['--input-type=module', '--unhandled-rejections=strict'], { cwd: root, stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdin.end(`import { connect } from 'steadis'\n${program}`)
  const [said, complaint, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code, said: said.trim(), complaint }
}

const NOWHERE = "{ sentinels: ['127.0.0.1:1'], primaryName: 'mymaster', env: false, commandTimeout: 100, failoverTimeout: 100 }"

test('nobody home', async () => {
  const { code, said, complaint } = await run(`
    const client = connect(${NOWHERE})
    const told = []
    const tell = (error) => told.push(error?.kind)
    client.on('ready', () => {})
    client.subscribe('unawaited')
    client.psubscribe('unawaited.*', () => {})
    const waiting = ['get', 'incr'].map((name) => new Promise((resolve) => client[name]('key', (error) => { tell(error); resolve() })))
    waiting.push(new Promise((resolve) => client.pipeline().get('a', tell).exec((error) => { tell(error); resolve() })))
    waiting.push(client.multi().set('a', 1).exec().catch(tell), client.connect().catch(tell), client.scan(0).catch(tell))
    const controller = new AbortController()
    waiting.push(client.options({ signal: controller.signal }).get('x').catch((error) => told.push(error.name)))
    controller.abort()
    await Promise.all(waiting)
    const last = client.get('key').catch(tell)
    client.destroy()
    await last
    await client.quit()
    await client.get('late').catch(tell)
    console.log(told.sort().join(' '))
  `)
  assert.equal(code, 0, complaint)
  assert.equal(said, ['AbortError', 'Closed', 'Closed', ...Array(7).fill('Unavailable')].join(' '))
})

test('what a callback returns is nobody\'s, and what it throws is thrown', async () => {
  const { code, said, complaint } = await run(`
    const client = connect()
    process.on('uncaughtException', (error, origin) => console.log(origin, error.message))
    const thrower = () => { throw new Error('mine') }
    const settled = Promise.withResolvers?.() ?? (() => { const it = {}; it.promise = new Promise((resolve) => { it.resolve = resolve }); return it })()
    client.get('key', thrower)
    client.pipeline().get('key', thrower).exec(thrower)
    client.get('key', async () => { settled.resolve() })
    await settled.promise
    console.log(await client.ping())
    await client.quit(thrower)
  `)
  assert.equal(code, 0, complaint)
  assert.deepEqual(said.split('\n').sort(), [...Array(4).fill('uncaughtException mine'), 'PONG'].sort())
})

test('errors have the words that users of ioredis look for', async () => {
  const { code, said, complaint } = await run(`
    const client = connect()
    await client.connect()
    const say = (error) => console.log(error instanceof Error, error.message)
    // By itself it is sent again elsewhere, so only a script can show it, inside of a reply.
    const [refused] = await client.eval("return {redis.error_reply('READONLY You can\\\\'t write against a read only replica.')}", 0)
    say(refused)
    await client.call('NOSUCH').catch(say)
    await client.evalsha('ffffffffffffffffffffffffffffffffffffffff', 0).catch(say)
    await client.quit()
    await client.get('key').catch(say)
  `)
  assert.equal(code, 0, complaint)
  const [readOnly, unknown, script, closed] = said.split('\n')
  assert.match(readOnly, /^true READONLY You can't write against a read only replica\./)
  assert.match(unknown, /^true ERR unknown command/)
  assert.match(script, /^true NOSCRIPT /)
  assert.equal(closed, 'true Connection is closed.')
})
