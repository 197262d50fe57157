import { connect } from 'steadis'

const client = connect() // REDIS_SENTINEL_LIST, REDIS_SENTINEL_MASTER from the environment
await client.set('cart:7', '3 items', { EX: 900 })
console.log(await client.get('cart:7'))
await client.close()
