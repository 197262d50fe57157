// Runs the tests of this folder and of the integrations, or those whose file has one of the
// arguments in its name.

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { run } from 'node:test'

const folder = import.meta.dirname ?? new URL('.', import.meta.url).pathname
const wanted = process.argv.slice(2)
const inside = (path) => readdirSync(join(folder, path)).map((it) => join(path, it))
const files = [...inside('integrations'), ...inside('.')]
  .filter((it) => it.endsWith('.test.mjs') && (wanted.length === 0 || wanted.some((name) => it.includes(name))))
  .map((it) => join(folder, it))

let passed = 0
let failed = 0
run({ files, concurrency: 4, timeout: 600_000 })
  // A file without tests inside it is told of as one.
  .on('test:pass', ({ name, details }) => { if (details.type !== 'suite' && !files.includes(name)) passed++ })
  .on('test:fail', ({ name, details }) => {
    failed++
    console.log(`${name}: ${details.error?.cause?.stack ?? details.error}`)
  })
  .on('test:stderr', ({ message }) => process.stderr.write(message))
  .on('end', () => {
    console.log(`${passed} passed, ${failed} failed`)
    process.exitCode = failed === 0 && passed > 0 ? 0 : 1
  })
  .resume()
