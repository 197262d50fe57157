// Builds the native part with plain cargo: from a checkout, a git install and a tarball alike.
//
//   node bindings/nodejs/build.mjs [--dev] [--if-missing]

import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const { platformName } = createRequire(import.meta.url)('./lib/platform.cjs')
const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, '..', '..')
const out = join(here, `steadis.${platformName()}.node`)

function isInstalled () {
  try {
    createRequire(import.meta.url).resolve(`@steadis/${platformName()}`)
    return true
  } catch {
    return false
  }
}

function build () {
  // Outside of a checkout nobody wants to keep hundreds of megabytes of what cargo made.
  const scratch = existsSync(join(root, '.git')) ? null : mkdtempSync(join(tmpdir(), 'steadis-'))
  const args = ['build', '--locked', '--package', 'steadis-nodejs', '--message-format=json-render-diagnostics']
  if (!process.argv.includes('--dev')) args.push('--release')
  if (scratch) args.push('--target-dir', scratch)
  const options = { cwd: root, stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 1 << 28 }
  const lines = execFileSync(process.env.CARGO || 'cargo', args, options).toString().split('\n').filter(Boolean)
  const artifacts = lines.map((line) => JSON.parse(line)).filter((it) => it.target?.name === 'steadis_nodejs' && it.filenames)
  const library = artifacts.at(-1).filenames.find((name) => /\.(so|dylib|dll)$/.test(name))
  // A new file: a process that has the old one open must not see it change.
  rmSync(out, { force: true })
  copyFileSync(library, out)
  if (scratch) rmSync(scratch, { recursive: true, force: true })
}

if (!process.argv.includes('--if-missing') || !(existsSync(out) || isInstalled())) build()
