// Where am I connected, and why there?
import { connect } from 'steadis'

const client = await connect().ready()
await client.set('cart:7', '3 items', { EX: 900 })
console.log(await client.get('cart:7'))

const { primary, replicas } = client.topology()
console.log(`the primary is ${primary}, ${replicas.length} replicas follow it`)
console.log(`health: ${client.health().state}`)
for (const warning of client.warnings()) console.log(`warning: ${warning}`)
await client.close()
