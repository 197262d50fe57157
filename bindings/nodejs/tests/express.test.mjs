// Sessions of an Express application outlive a failover, and no request sees an error.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { start, withLab } from './lab.mjs'

const lab = withLab('--down-after', '1500ms')
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

for (const [name, mayRepeat, begin] of [
  ['planned failover', false, () => lab.ask('failover')],
  ['killed primary', true, () => lab.ask('kill', { name: 'primary' })]
]) {
  test(`express-session with connect-redis: ${name}`, async () => {
    for (const until of ['agreed', 'in-sync']) await lab.ask('wait', { until, timeout_ms: 30_000 })
    const program = start('examples/nodejs/express_session.mjs')
    const port = (await program.line('listening on')).split(' ').at(-1)
    const visitors = Array.from({ length: VISITORS }, () => new Visitor(`http://127.0.0.1:${port}/`))
    await Promise.all(visitors.map((it) => it.visit()))
    const state = { over: false }
    const visits = Promise.all(visitors.map(async (it) => {
      while (!state.over) await it.visit(mayRepeat)
      await it.visit(mayRepeat)
    }))
    await begin()
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
