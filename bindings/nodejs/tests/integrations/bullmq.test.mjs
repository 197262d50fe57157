// Queues of BullMQ: every job is done, delayed and repeated ones as well, whatever the primary does.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { FlowProducer, Queue, QueueEvents, Worker } from 'bullmq'
import { connect } from '../../index.mjs'
import { through, withLab } from './helpers.mjs'

const lab = withLab()

/** A queue, its worker and its events; `done` has the names of the jobs that were done. */
async function open (t, name, work = async () => 'well done', options = {}) {
  const connection = connect(options)
  const queue = new Queue(name, { connection })
  const events = new QueueEvents(name, { connection })
  const done = []
  const errors = []
  const worker = new Worker(name, async (job) => {
    const result = await work(job)
    done.push(job.name)
    return result
  }, { connection, concurrency: 4, stalledInterval: 1000, lockDuration: 10_000 })
  for (const it of [queue, events, worker]) it.on('error', (error) => errors.push(error))
  t.after(async () => {
    await Promise.all([worker.close(), events.close(), queue.close()])
    await connection.close()
  })
  await Promise.all([queue, events, worker].map((it) => it.waitUntilReady()))
  return { connection, queue, events, worker, done, errors }
}

/** Resolves when as many jobs were done. */
async function completed (worker, done, count) {
  while (done.length < count) await once(worker, 'completed')
}

test('jobs, their results and their failures', async (t) => {
  const { queue, events, worker, done, errors } = await open(t, 'able', async ({ name, data }) => {
    if (name === 'bad') throw new Error('as it was told')
    return data.list.length
  })
  const job = await queue.add('good', { list: [1, 'grüße', null] })
  assert.equal(await job.waitUntilFinished(events), 3)
  const bad = await queue.add('bad', {}, { attempts: 2 })
  await assert.rejects(bad.waitUntilFinished(events), /as it was told/)
  assert.equal((await queue.getJob(bad.id)).attemptsMade, 2)
  await queue.addBulk(Array.from({ length: 100 }, (_, i) => ({ name: `bulk${i}`, data: { list: [i] } })))
  await completed(worker, done, 101)
  assert.deepEqual(await queue.getJobCounts('completed', 'failed', 'waiting', 'active'), { completed: 101, failed: 1, waiting: 0, active: 0 })
  assert.deepEqual(errors, [])
})

test('jobs with parents, priorities and delays, and repeated ones', async (t) => {
  const order = []
  const { connection, queue, events, worker, done, errors } = await open(t, 'timely', async (job) => { order.push(job.name) })
  const flows = new FlowProducer({ connection })
  t.after(() => flows.close())
  const { job: parent } = await flows.add({ name: 'parent', queueName: 'timely', children: [{ name: 'child', queueName: 'timely' }] })
  await parent.waitUntilFinished(events)
  assert.deepEqual(order, ['child', 'parent'])
  const began = Date.now()
  const late = await queue.add('late', {}, { delay: 300 })
  assert.equal(await late.getState(), 'delayed')
  await late.waitUntilFinished(events)
  assert.ok(Date.now() - began >= 300)
  await queue.pause()
  await queue.add('low', {}, { priority: 10 })
  const high = await queue.add('high', {}, { priority: 1 })
  assert.equal(await queue.getPrioritizedCount(), 2)
  await queue.resume()
  await high.waitUntilFinished(events)
  await queue.upsertJobScheduler('beat', { every: 50 }, { name: 'beat' })
  const before = done.length
  await completed(worker, done, before + 4)
  assert.ok(done.filter((name) => name === 'beat').length >= 3)
  assert.equal(await queue.removeJobScheduler('beat'), true)
  assert.deepEqual(errors, [])
})

for (const fault of ['planned', 'freeze', 'kill']) {
  test(`no job is lost in a failover: ${fault}`, async (t) => {
    const { connection, queue, worker, done, errors } = await open(t, fault, undefined, { retryWrites: fault === 'planned' ? 'unsent' : 'always' })
    const waiting = Array.from({ length: 20 }, (_, i) => ({ name: `delayed${i}`, data: {}, opts: { delay: 1500 } }))
    await queue.addBulk(waiting)
    await queue.upsertJobScheduler('beat', { every: 100 }, { name: 'beat' })
    const added = []
    const { errors: refused } = await through(lab, connection, fault, async (lane) => {
      const name = `${lane}:${added.length}`
      added.push(name)
      await queue.add(name, {})
    })
    assert.deepEqual(refused, [])
    const after = done.filter((name) => name === 'beat').length
    const wanted = new Set([...added, ...waiting.map(({ name }) => name)])
    const missing = () => [...wanted].filter((name) => !done.includes(name)).length
    // What no replica has yet goes with a primary that is lost.
    const bearable = fault === 'planned' ? 0 : 20
    while (missing() > bearable || done.filter((name) => name === 'beat').length < after + 3) await once(worker, 'completed')
    await queue.removeJobScheduler('beat')
    if (fault === 'planned') {
      assert.equal(done.filter((name) => wanted.has(name)).length, wanted.size, 'each once')
      assert.deepEqual(errors, [])
    }
    const { failed } = await queue.getJobCounts('failed')
    assert.equal(failed, 0)
  })
}
