import { connect, MaybeExecutedError, type Client } from 'steadis'

export async function use (client: Client = connect({ commandTimeout: 100 })): Promise<number> {
  const text: string | null = await client.get('key')
  const bytes: Buffer | null = await client.buffers.get('key')
  await client.set('key', text ?? bytes ?? '', { EX: 900 })
  for await (const it of client.subscribe('news')) if (it.type === 'gap') return it.until.getTime()
  const [first]: unknown[] = await client.pipeline().incr('a').get('b').exec()
  // @ts-expect-error: a key is text or bytes
  await client.get({})
  return first instanceof MaybeExecutedError ? 0 : client.incr('a')
}
