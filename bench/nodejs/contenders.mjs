// Who takes part, and the same operations in everybody's words.

export const OURS = 'steadis'
export const NAMES = [OURS, 'ioredis', 'ioredis auto', 'node-redis', 'glide']

/** Ours with a connection for each client, and no client at all: what nobody can go below who opens one. */
export const APART = 'steadis, own'
export const FLOOR = 'a bare socket'

const BATCH = 100
const VALUE = 'x'.repeat(64)

/** The library, and a function that makes a client of it which is ready for use. */
export async function load (name, port) {
  switch (name) {
    case OURS:
    case APART: {
      const { connect } = await import('../../bindings/nodejs/index.mjs')
      return () => connect(`redis://127.0.0.1:${port}`, { ownConnection: name === APART })
    }
    case 'ioredis':
    case 'ioredis auto': {
      const { Redis } = await import('ioredis')
      return () => new Redis({ port, enableAutoPipelining: name === 'ioredis auto' })
    }
    case 'node-redis': {
      const { createClient } = await import('redis')
      return async () => await createClient({ url: `redis://127.0.0.1:${port}` }).connect()
    }
    case FLOOR: {
      const net = await import('node:net')
      const { once } = await import('node:events')
      return () => {
        const socket = net.connect({ host: '127.0.0.1', port, noDelay: true })
        return { get: (key) => { socket.write(`GET ${key}\r\n`); return once(socket, 'data') } }
      }
    }
    case 'glide': {
      const { Batch, GlideClient } = await import('@valkey/valkey-glide')
      return async () => {
        const client = await GlideClient.createClient({ addresses: [{ host: '127.0.0.1', port }] })
        return Object.assign(client, { newBatch: () => new Batch(false) })
      }
    }
  }
}

/** Puts there what the operations read. */
export async function fill (port) {
  const client = (await load(OURS, port))()
  await client.set('k', VALUE)
  await client.hset('h', Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`field:${i}`, `value:${i}`])))
  await client.rpush('l', Array.from({ length: 1000 }, (_, i) => `item:${i}`))
  await client.close()
}

/** The operations of the page with one contender's client. */
export function operations (name, client) {
  const isNodeRedis = name === 'node-redis'
  const send = {
    glide: (batch) => client.exec(batch, true),
    'node-redis': (batch) => batch.execAsPipeline()
  }[name] ?? ((batch) => batch.exec())
  const start = {
    glide: () => client.newBatch(),
    'node-redis': () => client.multi()
  }[name] ?? (() => client.pipeline())
  return {
    get: () => client.get('k'),
    pipeline: () => {
      const batch = start()
      for (let i = 0; i < BATCH; i++) batch.set('k', VALUE)
      return send(batch)
    },
    hgetall: () => isNodeRedis ? client.hGetAll('h') : client.hgetall('h'),
    lrange: () => isNodeRedis ? client.lRange('l', 0, -1) : client.lrange('l', 0, -1)
  }
}

export function close (name, client) {
  if (name === 'glide') client.close()
  else return name.startsWith('ioredis') ? client.quit() : client.close()
}
