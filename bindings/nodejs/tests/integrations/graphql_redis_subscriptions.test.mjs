// Subscriptions of GraphQL: they are there again after a failover, without anybody's doing.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { graphql, parse, subscribe, GraphQLInt, GraphQLObjectType, GraphQLSchema } from 'graphql'
import { RedisPubSub } from 'graphql-redis-subscriptions'
import { open, through, withLab } from './helpers.mjs'

const lab = withLab()

test('channels, patterns and unsubscribing', async (t) => {
  const pubsub = new RedisPubSub({ publisher: open(t), subscriber: open(t) })
  const heard = []
  const waiting = new Map()
  const hear = (name) => (payload) => { heard.push([name, payload]); waiting.get(payload)?.() }
  const published = (channel, payload) => Promise.all([
    new Promise((resolve) => waiting.set(payload, resolve)), pubsub.publish(channel, payload)
  ])
  const one = await pubsub.subscribe('news', hear('first'))
  await pubsub.subscribe('news', hear('second'))
  await pubsub.subscribe('user.*', hear('pattern'), { pattern: true })
  await published('news', 1)
  await published('user.7', 2)
  pubsub.unsubscribe(one)
  await published('news', 3)
  assert.deepEqual(heard, [['first', 1], ['second', 1], ['pattern', 2], ['second', 3]])
  await pubsub.close()
})

/** A schema with a counter to be asked for, and to be subscribed to. */
function schema (pubsub) {
  const counter = { type: GraphQLInt, resolve: (payload) => payload.counter }
  const subscription = { ...counter, subscribe: () => pubsub.asyncIterableIterator('counter') }
  return new GraphQLSchema({
    query: new GraphQLObjectType({ name: 'Query', fields: { counter } }),
    subscription: new GraphQLObjectType({ name: 'Subscription', fields: { counter: subscription } })
  })
}

for (const fault of ['planned', 'kill']) {
  test(`a subscription outlives a failover: ${fault}`, async (t) => {
    const subscriber = open(t)
    const pubsub = new RedisPubSub({ publisher: open(t, { retryWrites: 'always' }), subscriber })
    const served = schema(pubsub)
    assert.equal((await graphql({ schema: served, source: '{ counter }', rootValue: { counter: 7 } })).data.counter, 7)
    const events = await subscribe({ schema: served, document: parse('subscription { counter }') })
    const heard = [0]
    const reading = (async () => {
      for await (const { data: { counter } } of events) {
        assert.ok(counter > heard.at(-1), `${counter} after ${heard.at(-1)}`)
        heard.push(counter)
      }
    })()
    let sent = 0
    const { errors } = await through(lab, subscriber, fault, () => pubsub.publish('counter', { counter: ++sent }), 1)
    assert.deepEqual(errors, [])
    const before = sent
    while (heard.at(-1) <= before) await pubsub.publish('counter', { counter: ++sent })
    await events.return()
    await reading
  })
}
