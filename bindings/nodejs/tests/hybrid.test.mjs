// What is written for ioredis or for node-redis finds its habits here.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { connect } from 'steadis'
import { withLab } from './lab.mjs'

withLab()

function open (t, options) {
  const client = connect(options)
  t.after(() => client.destroy())
  return client
}

test('words as ioredis has them, options as node-redis has them', async (t) => {
  const client = open(t)
  assert.equal(await client.set('a', '1', 'EX', 10), 'OK')
  assert.equal(await client.set('a', '2', { expiration: { type: 'EX', value: 60 }, condition: 'XX' }), 'OK')
  assert.equal(await client.set('b', '2', { condition: 'XX' }), null)
  assert.equal(await client.setex('b', 10, 'x'), 'OK')
  assert.equal(await client.setEx('b', 10, 'x'), 'OK')
  assert.equal(await client.hset('h', 'f', '1', 'g', '2'), 2)
  assert.equal(await client.hSet('h', { i: '3' }), 1)
  assert.deepEqual(await client.mGet(['a', 'b']), ['2', 'x'])
  assert.deepEqual(await client.mget('a', 'b'), ['2', 'x'])
  assert.equal(await client.del(['a', 'b']), 2)
  assert.deepEqual(await client.eval('return {KEYS[1], ARGV[1]}', 1, 'k', 'v'), ['k', 'v'])
  assert.deepEqual(await client.eval('return {KEYS[1], ARGV[1]}', { keys: ['k'], arguments: ['v'] }), ['k', 'v'])
  assert.equal(await client.sendCommand(['ECHO', 'x']), 'x')
  assert.ok((await client.info()).includes('redis_version'))
})

test('replies in the shape of the library whose name was called', async (t) => {
  const client = open(t)
  assert.equal(await client.zAdd('z', [{ score: 1, value: 'a' }, { score: 2, value: 'b' }]), 2)
  assert.deepEqual(await client.zrange('z', 0, -1, 'WITHSCORES'), ['a', '1', 'b', '2'])
  assert.deepEqual(await client.zRangeWithScores('z', 0, -1), [{ value: 'a', score: 1 }, { value: 'b', score: 2 }])
  const id = await client.xadd('x', '*', 'f', 'v')
  assert.deepEqual(await client.xrange('x', '-', '+'), [[id, ['f', 'v']]])
  assert.deepEqual(await client.xRange('x', '-', '+'), [{ id, message: { f: 'v' } }])
  assert.deepEqual(await client.xread('COUNT', 1, 'STREAMS', 'x', '0'), [['x', [[id, ['f', 'v']]]]])
  assert.deepEqual(await client.xRead([{ key: 'x', id: '0' }], { COUNT: 1 }), [{ name: 'x', messages: [{ id, message: { f: 'v' } }] }])
  assert.deepEqual(await client.scan(0, 'MATCH', 'z', 'COUNT', 1000), ['0', ['z']])
  assert.deepEqual(await client.scan(0, { MATCH: 'z', COUNT: 1000 }), { cursor: '0', keys: ['z'] })
  const streamed = []
  for await (const keys of client.scanStream({ match: 'z' })) streamed.push(...keys)
  assert.deepEqual(streamed, ['z'])
  assert.deepEqual(await client.getBuffer('nothing'), null)
})

test('callbacks', async (t) => {
  const client = open(t)
  const told = (run) => new Promise((resolve) => run((error, reply) => resolve([error, reply])))
  assert.deepEqual(await told((done) => client.set('key', 'x', done)), [null, 'OK'])
  const [error] = await told((done) => client.incr('key', done))
  assert.match(error.message, /^ERR value is not an integer/)
  assert.deepEqual(await told((done) => client.pipeline().get('key').exec(done)), [null, ['x']])
})

test('strict views', async (t) => {
  const client = open(t)
  const pairs = await client.asIORedis().pipeline().set('key', 'x').incr('key').exec()
  assert.deepEqual(pairs[0], [null, 'OK'])
  assert.match(pairs[1][0].message, /^ERR value is not an integer/)
  assert.equal(client.asIORedis().scanIterator, undefined)
  assert.equal(client.asNodeRedis().scanStream, undefined)
  for await (const keys of client.asNodeRedis().scanIterator({ MATCH: 'key' })) assert.deepEqual(keys, ['key'])
})

test('commands of one\'s own', async (t) => {
  const client = open(t)
  client.defineCommand('pair', { numberOfKeys: 1, lua: 'return {KEYS[1], ARGV[1]}' })
  assert.deepEqual(await client.pair('k', 'v'), ['k', 'v'])
  assert.deepEqual(await client.multi().pair('k', 'v').exec(), [['k', 'v']])
  client.defineCommand('counted', { lua: 'return #KEYS' })
  assert.equal(await client.counted(2, 'a', 'b', 'c'), 2)
})

test('status and events from the wish to connect to the end', async (t) => {
  const client = open(t)
  const seen = []
  for (const name of ['connect', 'ready', 'close', 'end']) client.on(name, () => seen.push(name))
  assert.equal(client.isOpen, true)
  assert.equal(await client.connect(), client)
  assert.deepEqual([client.status, client.isOpen, client.isReady], ['ready', true, true])
  assert.equal(await client.quit(), 'OK')
  assert.deepEqual([client.status, client.isOpen, client.isReady], ['end', false, false])
  assert.deepEqual(seen, ['connect', 'ready', 'close', 'end'])
  await assert.rejects(client.connect(), /Connection is closed\./)
})

test('nobody home: an error is told to those who listen, and ends no process', async (t) => {
  const nowhere = { sentinels: ['127.0.0.1:1'], primaryName: 'mymaster', env: false, commandTimeout: 200, failoverTimeout: 200 }
  const silent = open(t, nowhere)
  await assert.rejects(silent.get('key'), ({ kind, retryable }) => kind === 'Unavailable' && retryable)
  const client = open(t, nowhere)
  const [error] = await Promise.all([once(client, 'error'), assert.rejects(client.connect())])
  assert.equal(error[0].kind, 'Unavailable')
})

test('subscribing with listeners', async (t) => {
  const client = open(t)
  const io = client.duplicate()
  const node = client.duplicate()
  t.after(() => { io.destroy(); node.destroy() })
  const heard = Promise.all([once(io, 'message'), once(io, 'pmessage')])
  assert.equal(await io.subscribe('news'), 1)
  assert.equal(await io.psubscribe('n*'), 2)
  const listened = new Promise((resolve) => node.pSubscribe('n?ws', (message, channel) => resolve([message, channel])).then(() => client.publish('news', 'hello')))
  assert.deepEqual(await listened, ['hello', 'news'])
  assert.deepEqual(await heard, [['news', 'hello'], ['n*', 'news', 'hello']])
  assert.equal(await io.unsubscribe('news'), 1)
  assert.equal(await io.get('nothing'), null)
  // Open subscriptions do not keep it from closing.
  assert.equal(await io.quit(), 'OK')
})

test('the options of ioredis and of node-redis', async (t) => {
  const [host, port] = process.env.REDIS_SENTINEL_LIST.split(',')[0].split(':')
  const io = open(t, {
    sentinels: [{ host, port: Number(port) }],
    name: 'mymaster',
    enableReadyCheck: true,
    maxRetriesPerRequest: null,
    retryStrategy: (times) => times * 50
  })
  assert.equal(await io.set('key', 'x'), 'OK')
  const node = open(t, { name: 'mymaster', sentinelRootNodes: [{ host, port: Number(port) }], masterPoolSize: 5 })
  assert.equal(await node.get('key'), 'x')
})

test('all words in one list, as libraries for ioredis pass them on', async (t) => {
  const client = open(t)
  assert.equal(await client.set(['listed', 'x', 'EX', 10]), 'OK')
  const told = await new Promise((resolve, reject) => client.get(['listed'], (error, reply) => error ? reject(error) : resolve(reply)))
  assert.equal(told, 'x')
  const source = 'return {#KEYS, ARGV[1]}'
  assert.deepEqual(await client.eval([source, 1, 'k', 'v']), [1, 'v'])
  assert.deepEqual(await client.eval(source, [1, 'k', 'v']), [1, 'v'])
  assert.deepEqual(await client.eval(source, ['k'], ['v']), [1, 'v'])
  assert.deepEqual(await client.multi().set(['listed', 'y']).get(['listed']).exec(), ['OK', 'y'])
})

test('true, false and nothing are words for a command of one\'s own, and nowhere else', async (t) => {
  const client = open(t)
  client.defineCommand('told', { numberOfKeys: 0, lua: 'return ARGV' })
  assert.deepEqual(await client.told(true, [false, 1, null], undefined), ['true', 'false', '1', '', ''])
  assert.deepEqual(await client.pipeline().told(true).exec(), [['true']])
  for (const it of [true, null, undefined]) await assert.rejects(client.set('key', it), { kind: 'Usage' })
})

test('another name for a client in use', async (t) => {
  const client = open(t, { connectionName: 'first' })
  assert.equal(await client.client('GETNAME'), 'first')
  assert.equal(await client.client('SETNAME', 'second'), 'OK')
  assert.equal(await client.client('GETNAME'), 'second')
  // So is that of a connection that is opened later, here by a command that blocks.
  const blocked = client.blpop('nothing', 0)
  const names = async () => (await client.client('LIST')).match(/name=second /g).length
  while (await names() < 2);
  await client.rpush('nothing', 'x')
  assert.deepEqual(await blocked, ['nothing', 'x'])
  assert.equal(await client.clientSetName('third'), 'OK')
  await assert.rejects(client.client('SETNAME', 'two words'), { kind: 'Usage' })
  await assert.rejects(client.call('CLIENT', 'SETNAME', 'x'), /client_name/)
})

test('libraries write down that a client has ended', async (t) => {
  const client = open(t)
  await client.quit()
  client.status = 'end'
  assert.equal(client.status, 'end')
})
