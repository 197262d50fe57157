// Four generations of connect-redis, of which each wants another shape of client: sessions outlive
// every failover, no request sees an error, and the store never says that it is disconnected.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import express from 'express'
import session from 'express-session'
import RedisStore7 from 'connect-redis-7'
import { RedisStore as RedisStore8 } from 'connect-redis-8'
import { RedisStore as RedisStore9 } from 'connect-redis-9'
import { RedisStore as RedisStore10 } from 'connect-redis-10'
import { listen, open, through, withLab } from './helpers.mjs'

const lab = withLab()
const STORES = { 7: RedisStore7, 8: RedisStore8, 9: RedisStore9, 10: RedisStore10 }
const VISITORS = 5

/** Somebody with a cookie, who counts what the application should count. */
class Visitor {
  constructor (url) {
    this.url = url
    this.views = 0
  }

  async visit (mayRepeat) {
    const response = await fetch(this.url, this.cookie ? { headers: { cookie: this.cookie } } : {})
    assert.equal(response.status, 200, await response.clone().text())
    this.cookie ??= response.headers.get('set-cookie').split(';')[0]
    const { views } = await response.json()
    // What no replica has yet goes with a primary that is lost: then the last visit counts again.
    const expected = mayRepeat ? [this.views, this.views + 1] : [this.views + 1]
    assert.ok(expected.includes(views), `${views} views after ${this.views}`)
    this.views = views
  }
}

for (const [version, RedisStore] of Object.entries(STORES)) {
  test(`connect-redis ${version}: what a store can do`, async (t) => {
    const store = new RedisStore({ client: open(t), prefix: `store${version}:` })
    const call = (name, ...args) => new Promise((resolve, reject) => store[name](...args, (error, reply) => error ? reject(error) : resolve(reply)))
    const made = { cookie: { originalMaxAge: null }, name: 'grüße' }
    assert.equal(await call('get', 'a') ?? null, null)
    await call('set', 'a', made)
    assert.deepEqual(await call('get', 'a'), made)
    for (let i = 0; i < 250; i++) await call('set', `many${i}`, made)
    await call('touch', 'a', made)
    assert.equal(await call('length'), 251)
    assert.equal((await call('ids')).length, 251)
    assert.ok((await call('ids')).includes('many7'))
    assert.deepEqual((await call('all')).find(({ id }) => id === 'a'), { id: 'a', ...made })
    await call('destroy', 'a')
    assert.equal(await call('length'), 250)
    await call('clear')
    assert.equal(await call('length'), 0)
  })
}

for (const fault of ['planned', 'freeze', 'kill']) {
  test(`sessions of connect-redis 7 to 10 through a failover: ${fault}`, async (t) => {
    const app = express()
    const disconnects = []
    const clients = {}
    for (const [version, RedisStore] of Object.entries(STORES)) {
      clients[version] = open(t, { retryWrites: 'always' })
      const store = new RedisStore({ client: clients[version], prefix: `${fault}${version}:` })
      store.on('disconnect', () => disconnects.push(version))
      app.use(`/${version}`, session({ store, secret: 'of this test', resave: false, saveUninitialized: false }))
    }
    app.get('/:version', (request, response) => {
      request.session.views = (request.session.views ?? 0) + 1
      response.json({ views: request.session.views })
    })
    const url = await listen(t, app)
    const visitors = Object.keys(STORES).flatMap((version) => Array.from({ length: VISITORS }, () => new Visitor(`${url}/${version}`)))
    const { errors } = await through(lab, clients[10], fault, (lane) => visitors[lane].visit(fault !== 'planned'), visitors.length)
    assert.deepEqual(errors, [])
    assert.deepEqual(disconnects, [])
    for (const version in STORES) {
      const sessions = []
      for await (const key of clients[version].scanIterator({ MATCH: `${fault}${version}:*` })) sessions.push(String(key))
      assert.equal(new Set(sessions).size, VISITORS)
    }
    assert.ok(visitors.every(({ views }) => views >= 3))
  })
}
