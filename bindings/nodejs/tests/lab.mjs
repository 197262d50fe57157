// A Sentinel deployment of its own for each file of tests, and the programs that run beside it.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { after, before } from 'node:test'

export const root = fileURLToPath(new URL('../../../', import.meta.url))
const program = `${process.env.CARGO_TARGET_DIR ?? `${root}target`}/debug/steadis`

/** `steadis lab serve`, asked by lines of JSON. */
export class Lab {
  constructor (...options) {
    this.asked = new Map()
    this.last = 0
    this.process = spawn(program, ['lab', 'serve', ...options], { stdio: ['pipe', 'pipe', 'inherit'] })
    const lines = createInterface({ input: this.process.stdout })
    this.ready = once(lines, 'line').then(([line]) => {
      this.environment = JSON.parse(line).environment
      lines.on('line', (line) => this.answered(JSON.parse(line)))
    })
  }

  answered ({ id, result, error }) {
    const { resolve, reject } = this.asked.get(id) ?? {}
    this.asked.delete(id)
    if (error === undefined) resolve?.(result)
    else reject?.(new Error(error))
  }

  ask (verb, request = {}) {
    const id = ++this.last
    this.process.stdin.write(JSON.stringify({ id, verb, ...request }) + '\n')
    return new Promise((resolve, reject) => this.asked.set(id, { resolve, reject }))
  }

  async end () {
    this.process.stdin.end()
    if (this.process.exitCode === null) await once(this.process, 'exit')
  }
}

/** A lab for the tests of a file, whose variables are set. */
export function withLab (...options) {
  const lab = new Lab(...options)
  before(async () => {
    await lab.ready
    Object.assign(process.env, lab.environment)
  })
  after(() => lab.end())
  return lab
}

/** Runs a program of Node.js; `line(text)` resolves at its first line with that in it. */
export function start (path, ...args) {
  const child = spawn(process.execPath, [path, ...args], { cwd: root, stdio: ['pipe', 'pipe', 'pipe'] })
  const said = []
  const waiting = []
  const hear = (line) => {
    said.push(line)
    for (const it of waiting) if (line.includes(it.text)) it.resolve(line)
  }
  for (const output of [child.stdout, child.stderr]) createInterface({ input: output }).on('line', hear)
  const over = once(child, 'close').then(([code]) => {
    const all = said.join('\n')
    for (const { reject, text } of waiting) reject(new Error(`${path} ended without ${text}: ${all}`))
    return { code, said: all }
  })
  const line = (text) => new Promise((resolve, reject) => {
    const found = said.find((it) => it.includes(text))
    if (found !== undefined) resolve(found)
    else waiting.push({ text, resolve, reject })
  })
  return { child, over, line }
}

/** Runs a program to its end; what it said. Any unhandled rejection ends it with another status. */
export async function ends (source, ...flags) {
  const args = ['--unhandled-rejections=strict', ...flags, '--input-type=module', '--eval', `import { connect } from 'steadis'; ${source}`]
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  const said = []
  for (const output of [child.stdout, child.stderr]) output.on('data', (data) => said.push(data))
  const [code] = await once(child, 'close')
  const text = Buffer.concat(said).toString()
  assert.equal(code, 0, text)
  return text.trim()
}
