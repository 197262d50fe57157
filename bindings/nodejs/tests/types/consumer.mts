import { connect, Client, MaybeExecutedError, Resolver, type Failover } from 'steadis'

export async function use (client: Client = connect({ commandTimeout: 100 })): Promise<number> {
  await using other = client.duplicate()
  const named: 'OK' = await other.clientSetName('other')
  const text: string | null = await client.get('key')
  const bytes: Buffer | null = await client.buffers.get('key')
  const also: Buffer | null = await client.getBuffer('key')
  await client.set('key', text ?? bytes ?? also ?? '', { EX: 900 })
  await client.set('key', 1, 'EX', 900)
  for await (const it of client.subscribe('news')) if (it.type === 'gap') return it.until.getTime()
  await other.subscribe('news', (message: string, channel: string) => console.log(channel, message))
  const [first]: unknown[] = await client.pipeline().incr('a').get('b').exec()
  client.on('failover', ({ to, tookMs }: Failover) => console.log(to, tookMs))
  // ioredis' names have its shapes, node-redis' have those, and options in an object ours.
  const flat: [id: string, fields: string[]][] = await client.xrange('stream', '-', '+', 'COUNT', 10)
  const messages: { id: string, message: Record<string, string> | null }[] = await client.xRange('stream', '-', '+')
  const pairs: [string, number][] = await client.zRange('scores', 0, -1, { WITHSCORES: true })
  const words: string[] = await client.zrange('scores', 0, -1, 'WITHSCORES')
  const { cursor, keys } = await client.scan(0, { MATCH: 'a*' })
  const [next, found]: [string, string[]] = await client.scan(0, 'MATCH', 'a*')
  // @ts-expect-error: a key is text or bytes
  await client.get({})
  // @ts-expect-error: there is no such option
  await client.set('key', 'value', { EXX: 1 })
  const { host, port } = await new Resolver().primary({ timeout: 100 })
  console.log(named, flat, messages, pairs, words, cursor, keys, next, found, host, port)
  return first instanceof MaybeExecutedError ? 0 : client.incr('a')
}
