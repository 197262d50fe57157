// The vectors of tests/vectors: the conversion of JavaScript's values gives the same arguments,
// the same values and the same settings as in every other language.

import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

const require = createRequire(import.meta.url)
const native = require('../lib/native.cjs')
const { indexOf } = require('../lib/commands.cjs')
const folder = new URL('../../../tests/vectors/', import.meta.url)

/** All cases of a folder, each with the file it is in. */
function * cases (name) {
  const place = new URL(`${name}/`, folder)
  for (const file of readdirSync(place).filter((it) => it.endsWith('.json'))) {
    for (const found of JSON.parse(readFileSync(new URL(file, place), 'utf8'))) yield { file, ...found }
  }
}

/** The value that canonical JSON stands for. */
function host (json) {
  if (Array.isArray(json)) return json.map(host)
  if (json === null || typeof json !== 'object') return json
  if ('bytes' in json) return Buffer.from(json.bytes, 'hex')
  if ('integer' in json) return BigInt(json.integer)
  if ('double' in json) return { inf: Infinity, '-inf': -Infinity, nan: NaN }[json.double] ?? json.double
  if ('map' in json) return new Map(json.map.map((pair) => pair.map(host)))
  throw new Error(`what is ${JSON.stringify(json)}?`)
}

const options = (json) => json === undefined ? [] : [Object.fromEntries(Object.entries(json).map(([name, value]) => [name, host(value)]))]
const bytes = (json) => Buffer.from(json.bytes === undefined ? String(json) : json.bytes, json.bytes === undefined ? 'utf8' : 'hex')
const wire = (argv) => Buffer.concat([
  Buffer.from(`*${argv.length}\r\n`),
  ...argv.map(bytes).flatMap((it) => [Buffer.from(`$${it.length}\r\n`), it, Buffer.from('\r\n')])
])

function checkError (error, { kind, phrase }) {
  assert.ok(error instanceof Error, 'not refused')
  assert.equal(error.kind, kind)
  assert.ok(error.message.includes(phrase), `${error.message} has no ${phrase}`)
}

test('every call becomes its arguments', () => {
  let count = 0
  for (const { file, command, calls = [], argv, error, ...known } of cases('commands')) {
    for (const call of calls) {
      count++
      const about = `${file}: ${command} ${JSON.stringify(call)}`
      const encoded = native._encode(indexOf(command), host(call.args), options(call.options))
      try {
        if (error) { checkError(encoded, error); continue }
        if (encoded instanceof Error) throw encoded
        const [sent, effect, idempotent, wait] = encoded
        assert.equal(sent.toString('latin1'), wire(argv).toString('latin1'))
        assert.deepEqual({ effect, idempotent, wait, ...known }, { ...known, effect: known.effect ?? effect, idempotent: known.idempotent ?? idempotent, wait: known.wait ?? wait })
      } catch (why) {
        throw new Error(`${about}: ${why.message}`, { cause: why })
      }
    }
  }
  assert.ok(count >= 500, `only ${count}`)
})

test('an object at the end means what it says', () => {
  // The same calls with options as the last argument, as people write them.
  const { add, batch } = native.functions
  let count = 0
  for (const { file, command, calls = [], argv, error } of cases('commands')) {
    for (const { args, options: named } of calls) {
      // All by name is for languages that have names; one object cannot be told from data then.
      if (error || named === undefined || args.length === 0) continue
      const refused = add(batch(), indexOf(command), ...host(args), ...options(named))
      // Understood, and still nothing for a connection that is shared.
      if (refused?.message.includes('a connection that others share')) continue
      count++
      assert.equal(refused, undefined, `${file}: ${command} ${JSON.stringify(args)} ${JSON.stringify(named)}: ${refused?.message}`)
      assert.ok(argv)
    }
  }
  assert.ok(count >= 200, `only ${count}`)
})

/** What a value is in canonical JSON; a map without order, since objects may have another one. */
function matches (value, expected) {
  if (Array.isArray(expected)) {
    return Array.isArray(value) && value.length === expected.length && expected.every((it, i) => matches(value[i], it))
  }
  if (expected === null || typeof expected !== 'object') return value === expected
  if ('bytes' in expected) {
    // As a string, what is no UTF-8 was replaced; the view with Buffers shows it as it is.
    return (Buffer.isBuffer(value) ? value : Buffer.from(value)).equals(Buffer.isBuffer(value) ? bytes(expected) : Buffer.from(bytes(expected).toString()))
  }
  if ('integer' in expected) return value === BigInt(expected.integer)
  if ('double' in expected) return Object.is(Number(value), host(expected))
  if ('error' in expected) return value instanceof Error && value.message === expected.error
  if ('set' in expected) {
    return Array.isArray(value) && value.length === expected.set.length && expected.set.every((it) => value.some((found) => matches(found, it)))
  }
  if ('map' in expected) {
    return Object.keys(value).length === expected.map.length && expected.map.every(([key, it]) => matches(value[String(host(key))], it))
  }
  return false
}

test('every reply becomes its value', () => {
  let count = 0
  for (const { file, command, args = [], options: named, argv, value, ...replies } of cases('commands')) {
    for (const reply of [replies.resp2, replies.resp3]) {
      if (reply === undefined) continue
      count++
      const raw = typeof reply === 'string' ? Buffer.from(reply) : bytes(reply)
      const shaped = native._shape(indexOf(command), host(args), options(named), raw, false)
      assert.ok(matches(shaped, value), `${file}: ${command}: ${JSON.stringify(reply)} became ${JSON.stringify(shaped, (_, it) => typeof it === 'bigint' ? `${it}n` : it)}, not ${JSON.stringify(value)}`)
    }
  }
  assert.ok(count >= 400, `only ${count}`)
})

test('every configuration has its result', () => {
  let count = 0
  for (const { file, name, env = {}, url, options: given = {}, unit, files = {}, expect, error, warnings = [] } of cases('config')) {
    count++
    const dir = mkdtempSync(join(tmpdir(), 'steadis-'))
    const fill = (json) => JSON.parse(JSON.stringify(json).replaceAll('{dir}', dir))
    try {
      for (const path in files) writeFileSync(join(dir, path), files[path])
      const result = native._config(fill(env), url === undefined ? undefined : fill(url), fill(given), unit === 'ms')
      if (error) { checkError(result, fill(error)); continue }
      if (result instanceof Error) throw result
      const [config, warned] = result
      assert.deepEqual(JSON.parse(config), fill(expect))
      assert.equal(warned.length, warnings.length, warned.join('; '))
      for (const phrase of fill(warnings)) assert.ok(warned.some((it) => it.includes(phrase)), phrase)
    } catch (why) {
      throw new Error(`${file}: ${name}: ${why.message}`, { cause: why })
    } finally {
      rmSync(dir, { recursive: true })
    }
  }
  assert.ok(count >= 250, `only ${count}`)
})
