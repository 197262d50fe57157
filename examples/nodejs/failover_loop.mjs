// Counts for as long as it is told to, through any failover: `steadis lab up` shows one.
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, MaybeExecutedError } from 'steadis'

const client = connect()
client.on('failover', ({ from, to, tookMs, held }) => {
  // The first one, from nowhere, is the primary that was found.
  if (from !== null) console.log(`the primary is ${to} now, after ${Math.round(tookMs)} ms; ${held} calls have waited`)
})

const visits = Number(process.argv[2] ?? Infinity)
for (let visit = 0; visit < visits; visit++) {
  try {
    const count = await client.incr('visits')
    if (count % 100 === 0) console.log(`${count} visits`)
  } catch (error) {
    // It was sent, and no answer came: counting it again could count it twice.
    if (error instanceof MaybeExecutedError) console.log(`one visit may be missing: ${error.message}`)
    else console.log(`${error.retryable ? 'not counted, try later: ' : ''}${error.message}`)
  }
  await sleep(10)
}
await client.close()
