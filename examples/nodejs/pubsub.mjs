// Listens until somebody says "bye". A failover is a gap, and no end.
import { connect } from 'steadis'

const client = connect()
const messages = client.subscribe('news', { patterns: ['user.*'] })
await messages.ready()
console.log('listening')
for await (const it of messages) {
  if (it.type === 'gap') console.log(`messages may be missing from ${it.until - it.since} ms`)
  else console.log(`${it.channel}: ${it.data}`)
  if (it.data === 'bye') break
}
await client.close()
