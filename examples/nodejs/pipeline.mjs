// Many commands in one go, each with its own outcome; then two that run together or not at all.
import { connect } from 'steadis'

const client = connect()
const outcomes = await client.pipeline()
  .set('greeting', 'hello')
  .lpush('greeting', 'world')
  .strlen('greeting')
  .outcomes()
outcomes.forEach((it, i) => console.log(`${i}: ${it instanceof Error ? it.message : it}`))

const [first, second] = await client.multi().decrby('account:1', 10).incrby('account:2', 10).exec()
console.log(`accounts: ${first} ${second}`)
await client.close()
