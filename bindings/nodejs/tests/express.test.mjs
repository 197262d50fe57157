// Sessions of an Express application outlive a failover, and no request sees an error.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { start } from './lab.mjs'
import { failed, settled, withLab } from './integrations/helpers.mjs'

const lab = withLab()
const VISITORS = 20

/** Somebody with a cookie, who counts what the application should count. */
class Visitor {
  constructor (url) {
    this.url = url
    this.views = 0
  }

  async visit (mayRepeat = false) {
    const response = await fetch(this.url, this.cookie ? { headers: { cookie: this.cookie } } : {})
    assert.equal(response.status, 200, await response.clone().text())
    this.cookie ??= response.headers.get('set-cookie').split(';')[0]
    const { views } = await response.json()
    // A primary that is killed can take with it what no replica has yet: then the last visit
    // counts again. The session is never a new one.
    assert.ok(views === this.views + 1 || (mayRepeat && views === this.views), `${views} after ${this.views}`)
    this.views = views
  }
}

for (const fault of ['planned', 'freeze', 'kill']) {
  test(`express-session with connect-redis: ${fault}`, async () => {
    await settled(lab)
    const program = start('examples/nodejs/express_session.mjs')
    const port = (await program.line('listening on')).split(' ').at(-1)
    const visitors = Array.from({ length: VISITORS }, () => new Visitor(`http://127.0.0.1:${port}/`))
    await Promise.all(visitors.map((it) => it.visit()))
    const state = { over: false }
    const visits = Promise.all(visitors.map(async (it) => {
      while (!state.over) await it.visit(fault !== 'planned')
      await it.visit(fault !== 'planned')
    }))
    await failed(lab, fault)
    await program.line('the primary was')
    state.over = true
    await visits
    assert.ok(visitors.every((it) => it.views >= 3))
    program.child.kill('SIGTERM')
    const { code, said } = await program.over
    assert.equal(code, 0, said)
    assert.ok(!said.includes('Error'), said)
  })
}

test('express-session with connect-redis: nobody waits longer than failoverTimeout, and the session is kept', async () => {
  await settled(lab)
  process.env.REDIS_FAILOVER_TIMEOUT = '500ms'
  const program = start('examples/nodejs/express_session.mjs')
  delete process.env.REDIS_FAILOVER_TIMEOUT
  const url = `http://127.0.0.1:${(await program.line('listening on')).split(' ').at(-1)}/`
  const visitor = new Visitor(url)
  await visitor.visit()
  await lab.ask('wait', { until: 'in-sync', timeout_ms: 10_000 })
  // Nobody is left to make another node the primary.
  await lab.ask('freeze-sentinel', { name: 'all' })
  await failed(lab, 'kill')
  const refused = await fetch(url, { headers: { cookie: visitor.cookie } })
  assert.match(await refused.text(), /^no primary "mymaster" before the deadline/)
  assert.equal(refused.status, 503)
  assert.equal(refused.headers.get('retry-after'), '1')
  await program.line('calls wait for a primary')
  await lab.ask('thaw-sentinel', { name: 'all' })
  await program.line('the primary was')
  await visitor.visit()
  program.child.kill('SIGTERM')
  const { code, said } = await program.over
  assert.equal(code, 0, said)
})
