// Steadis beside its peers, in turns of a fraction of a second: ratios, never bare rates.
//
//   bench/nodejs/run [SECONDS for each comparison] [WORD in the title of those wanted]

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { APART, FLOOR, NAMES, OURS, close, fill, load, operations } from './contenders.mjs'
import { SLICE, Slices, median, slice } from './measure.mjs'
import { withServer } from './server.mjs'

/** Title, operation, callers, and the ratio to the best peer that must be kept. */
const ROWS = [
  ['GET, 1 promise', 'get', 1, 1.05],
  ['GET, 64 promises', 'get', 64, 2.5],
  ['pipeline of 100 SET', 'pipeline', 1, 1.5],
  ['HGETALL of 100', 'hgetall', 1, 1.4],
  ['LRANGE of 1000', 'lrange', 1, 1.5]
]
/** How many times less than the best peer a fresh process must need. */
const STARTS = { 'ms import': 10, 'ms next': 5, 'KiB each': 4 }
const STARTED = 5

const [seconds = '5', wanted = ''] = process.argv.slice(2)

function heading (title, ratio, must) {
  console.log(`\n${title}: ${ratio.toFixed(2)} × the best peer, must ${must}${ratio < must ? '  BELOW' : ''}`)
}

function show (title, must, all) {
  const ours = all.get(OURS)
  const ahead = new Map([...all].filter(([name]) => name !== OURS).map(([name, it]) => [name, ours.ratio(it)]))
  heading(title, Math.min(...ahead.values()), must)
  for (const [name, slices] of all) {
    const { cpu, wait } = slices.figures()
    const times = name === OURS ? '' : `${ahead.get(name).toFixed(2).padStart(8)} ×`
    console.log(`  ${name.padEnd(14)}${cpu.toFixed(2).padStart(9)} µs CPU${wait.toFixed(1).padStart(10)} µs p50${times}`)
  }
}

async function race (port, shareProcessors) {
  const rows = ROWS.filter(([title]) => title.includes(wanted))
  if (rows.length === 0) return
  const clients = new Map()
  for (const name of NAMES) clients.set(name, await (await load(name, port))())
  for (const [title, operation, callers, must] of rows) {
    const all = new Map(NAMES.map((name) => [name, new Slices()]))
    const run = (name, slices) => slice(operations(name, clients.get(name))[operation], callers, slices)
    shareProcessors(callers)
    for (const name of NAMES) await run(name)
    const turns = Math.max(3, Math.round(Number(seconds) * 1000 / SLICE / NAMES.length))
    for (let turn = 0; turn < turns; turn++) {
      for (const name of NAMES) await run(name, all.get(name))
    }
    show(title, must, all)
  }
  for (const [name, client] of clients) await close(name, client)
}

/** Fresh processes, in turns. */
async function start (port, shareProcessors) {
  // Each of them is a single caller.
  shareProcessors(1)
  const run = promisify(execFile)
  const program = fileURLToPath(new URL('cold.mjs', import.meta.url))
  const found = new Map([...NAMES, APART, FLOOR].map((name) => [name, []]))
  for (let turn = 0; turn < STARTED; turn++) {
    for (const [name, runs] of found) {
      const { stdout } = await run(process.execPath, ['--expose-gc', program, name, port])
      runs.push(JSON.parse(stdout))
    }
  }
  const middle = (name, figure) => median(found.get(name).map((it) => it[figure]))
  for (const figure in found.get(OURS)[0]) {
    const best = Math.min(...NAMES.filter((name) => name !== OURS).map((name) => middle(name, figure)))
    if (figure in STARTS) heading(figure, best / middle(OURS, figure), STARTS[figure])
    else console.log(`\n${figure}`)
    for (const name of found.keys()) console.log(`  ${name.padEnd(14)}${middle(name, figure).toFixed(2).padStart(9)}`)
  }
}

await withServer(async (port, shareProcessors) => {
  await fill(port)
  if ('start'.includes(wanted)) await start(port, shareProcessors)
  await race(port, shareProcessors)
})
