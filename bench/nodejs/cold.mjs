// A fresh process: import, first and next connection, memory. Prints one line of JSON.

import { load } from './contenders.mjs'

/** The first clients are not those that count: until then the heap finds its size. */
const EARLY = 50
const FURTHER = 500
const [name, port] = process.argv.slice(2)
const memory = () => {
  global.gc()
  return process.memoryUsage.rss() / 1024
}
const timed = async (work) => {
  const began = performance.now()
  await work()
  return performance.now() - began
}

let make
const clients = []
const open = async () => {
  const client = await make()
  clients.push(client)
  await client.get('k')
}
const base = memory()
const imported = await timed(async () => { make = await load(name, Number(port)) })
const first = await timed(open)
const one = memory()
for (let i = 0; i < EARLY; i++) await open()
const some = memory()
const next = await timed(async () => { for (let i = 0; i < FURTHER; i++) await open() })
const all = memory()
console.log(JSON.stringify({
  'ms import': imported,
  'ms first': first,
  'ms next': next / FURTHER,
  'MiB base': (one - base) / 1024,
  'KiB each': (all - some) / FURTHER
}))
// Clients are let go by the end of the process, which is no part of this.
process.exit()
