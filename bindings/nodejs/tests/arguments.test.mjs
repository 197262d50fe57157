// What is no argument, no setting, or comes too late is refused: where it is given, and by name.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect, Resolver, ClosedError, ConfigError, UsageError } from 'steadis'
import { withLab } from './lab.mjs'

withLab()

function open (t, ...given) {
  const client = connect(...given)
  t.after(() => client.destroy())
  return client
}

/** The first that comes of something to be read by `for await`. */
const first = async (iterable) => (await iterable[Symbol.asyncIterator]().next()).value

const circle = []
circle.push(circle, circle)
const { proxy: revoked, revoke } = Proxy.revocable({}, {})
revoke()

/** What is no value of Redis. */
const VALUES = [
  undefined, null, NaN, Symbol('x'), true, new Date(0), new Set(['a']), circle, revoked,
  { get a () { throw new Error('mine') } }, [Symbol('x')], { a: NaN }, { a: undefined }
]

/** Calls with such a value, and how messages name it. */
const CALLS = {
  get: [(client, it) => client.get(it), 'key', 'argument 1'],
  set: [(client, it) => client.set('key', it), 'value', 'argument 2', 'an argument', 'there is no option "a"'],
  hset: [(client, it) => client.hset('key', 'field', it), 'value', 'argument 3'],
  'hset of an object': [(client, it) => client.hset('key', { field: it }), 'value', 'field', 'argument 2'],
  expire: [(client, it) => client.expire('key', it), 'seconds', 'argument 2'],
  call: [(client, it) => client.call('SET', 'key', it), 'argument 3', 'argument 4', 'an argument'],
  'a batch': [(client, it) => client.pipeline().hset('key', 'field', it).exec(), 'value', 'argument 3'],
  'a transaction': [(client, it) => client.multi().incr('other').hset('key', 'field', it).exec(), 'value', 'argument 3'],
  'a script': [(client, it) => client.script('return 1')({ args: [it] }), 'arg', 'argument 1'],
  buffers: [(client, it) => client.buffers.getset('key', it), 'value', 'argument 2']
}

for (const [name, [call, ...names]] of Object.entries(CALLS)) {
  test(`${name}: what is no value is refused by name, and nothing is sent`, async (t) => {
    const client = open(t)
    for (const value of VALUES) {
      const promise = call(client, value)
      await assert.rejects(promise, (error) => {
        assert.ok(error instanceof UsageError, String(error))
        assert.ok(names.some((it) => error.message.includes(it)), `${error.message} has none of ${names}`)
        return true
      })
    }
    assert.equal(await client.exists('key', 'other'), 0)
  })
}

test('numbers and large integers are values, and so is text of any class', async (t) => {
  const client = open(t)
  for (const [value, text] of [[0, '0'], [-0, '0'], [0.1, '0.1'], [2n ** 70n, '1180591620717411303424'], [Object('text'), 'text'], [Infinity, 'inf']]) {
    await client.set('value', value)
    assert.equal(await client.get('value'), text)
  }
})

test('too few arguments, and options that there are not', async (t) => {
  const client = open(t)
  await assert.rejects(client.set('key'), /"value" is missing/)
  await assert.rejects(client.get(), /"key" is missing/)
  await assert.rejects(client.get('a', 'b'), UsageError)
  await assert.rejects(client.set('key', 'value', { EXX: 1 }), /there is no option "exx", but "ex" is one/i)
  await assert.rejects(client.del('key', {}), UsageError)
  await assert.rejects(client.call(), /needs a name/)
  await assert.rejects(client.call('SUBSCRIBE', 'news'), /subscribe\(\)/)
  assert.equal(await client.set('key', 'value', {}), 'OK')
  assert.equal(await client.set('key', 'value', { EX: undefined, NX: null }), 'OK')
})

test('what batches, watches and subscriptions are given', async (t) => {
  const client = open(t)
  await assert.rejects(client.watch([undefined], () => {}), UsageError)
  await assert.rejects(client.watch([], () => {}), UsageError)
  await assert.rejects(client.watch(['key']), /needs a function/)
  for (const wrong of [[], [undefined], [Symbol('x')]]) {
    await assert.rejects(async () => { await client.subscribe(...wrong) }, UsageError)
    await assert.rejects(first(client.subscribe(...wrong)), UsageError)
    await assert.rejects(client.subscribe(...wrong).ready(), UsageError)
  }
  // What was refused is not subscribed to.
  assert.equal(await client.subscribe('news'), 1)
  for (const wrong of [undefined, null, {}, 7, Symbol('x')]) assert.throws(() => client.script(wrong), /the source of the script/)
  assert.throws(() => client.defineCommand('mine', {}), /mine has no lua/)
  await assert.rejects(first(client.scanIterator({ MATHC: 'x' })), UsageError)
})

test('options of calls by their names, and by names that are near', (t) => {
  const client = open(t)
  assert.throws(() => client.options({ timeuot: 1 }), /did you mean timeout\?/)
  assert.throws(() => client.options({ retrywrite: 'always' }), /did you mean retryWrites\?/)
  assert.throws(() => client.options({ retryWrites: 'allways' }), /unsent, always/)
  for (const timeout of [0, -1, NaN, 'soon', {}]) assert.throws(() => client.options({ timeout }), /timeout/)
  for (const signal of [1, {}, null]) assert.throws(() => client.options({ signal }), /write an AbortSignal/)
  assert.throws(() => client.options({ buffers: 'yes' }), /buffers/)
  assert.throws(() => client.options(7), UsageError)
  assert.throws(() => client.replica({ policy: 'nearst' }), /nearest/)
  assert.throws(() => client.replica({ maxLga: 1 }), /did you mean maxLag\?/)
  assert.throws(() => client.stats({ format: 'xml' }), UsageError)
})

test('settings by their names, and by names that are near', () => {
  const wrong = [
    [[{ sentinls: ['127.0.0.1:1'] }], /did you mean sentinels\?/],
    [['redis://127.0.0.1', { commandTimeot: 5 }], /did you mean command_timeout\?/],
    [[{ host: '127.0.0.1', port: NaN }], /port/],
    [[{ host: Symbol('x') }], /the option host is a symbol/],
    [[{ host: () => '127.0.0.1' }], /the option host is a function/],
    [[{ host: '127.0.0.1', password: () => 'secret' }], /the option password is a function/],
    [[{ sentinels: circle }], /sentinels/],
    [[6379], /the url argument is a number/],
    [[['127.0.0.1:6379']], /the url argument is a list/],
    [[Symbol('x')], /the url argument is a symbol/],
    [['redis://127.0.0.1', 7], /the options are a number/],
    [['http://127.0.0.1'], /HTTP/],
    [['redis-sentinel://'], /./],
    [[{ host: '127.0.0.1', bigints: 'yes' }], /bigints/]
  ]
  for (const [given, message] of wrong) {
    assert.throws(() => connect(...given), (error) => error instanceof ConfigError || error instanceof UsageError, String(given[0]))
    assert.throws(() => connect(...given), message)
  }
  assert.throws(() => new Resolver({ hots: '127.0.0.1' }), /did you mean host\?/)
  assert.throws(() => new Resolver(6379), ConfigError)
})

test('a URL of Sentinels is never the path of a socket', (t) => {
  const setting = (client, name) => client.explain().find((it) => it.name === name)?.value
  for (const scheme of ['redis-sentinel', 'redis+sentinel', 'sentinel']) {
    const url = `${scheme}://127.0.0.1:1,127.0.0.1:2/mymaster`
    for (const client of [open(t, url), open(t, new URL(`${scheme}://127.0.0.1:1/mymaster`)), open(t, { url }), open(t, url).duplicate()]) {
      t.after(() => client.destroy())
      assert.equal(setting(client, 'primary_name'), 'mymaster')
      assert.match(setting(client, 'sentinels'), /^127\.0\.0\.1:1\b/)
      assert.equal(setting(client, 'path'), undefined)
    }
  }
  assert.equal(setting(open(t, '/tmp/redis.sock'), 'path'), '/tmp/redis.sock')
  assert.throws(() => connect('127.0.0.1:1,127.0.0.1:2/mymaster'), /write redis-sentinel:\/\//)
})

test('a closed client refuses everything, each in its way', async () => {
  const client = connect()
  const script = client.script('return 1')
  await client.set('key', 'value')
  await client.close()
  const calls = [
    () => client.get('key'), () => client.call('GET', 'key'), () => client.options({ timeout: 5 }).get('key'),
    () => client.buffers.get('key'), () => client.options({ signal: new AbortController().signal }).get('key'),
    () => client.pipeline().get('key').exec(), () => client.multi().get('key').exec(), () => client.watch(['key'], () => {}),
    () => script(), () => client.blpop('key', 0), () => client.ready(), () => client.connect(),
    async () => { await client.subscribe('news') }, () => client.subscribe('news').ready(),
    () => first(client.subscribe('news')),
    () => first(client.scanIterator())
  ]
  for (const call of calls) {
    await assert.rejects(call(), (error) => error instanceof ClosedError && error.message === 'Connection is closed.' && !error.retryable, String(call))
  }
  assert.throws(() => client.topology(), ClosedError)
  assert.equal(client.health().state, 'down')
  assert.equal(client.stats().calls >= 1, true)
  assert.equal(await client.quit(), 'OK')
  client.destroy()
})
