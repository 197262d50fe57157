// Builds the native part with plain cargo: from a checkout, a git install and a tarball alike.
//
//   node bindings/nodejs/build.mjs [--dev] [--if-missing]

import { execFileSync } from 'node:child_process'
import { copyFileSync, cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
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

/** A workspace of what the package holds: the tree's has members that it lacks. */
function stage () {
  const folder = join(root, 'build')
  rmSync(folder, { recursive: true, force: true })
  for (const name of ['core', 'bindings', 'Cargo.lock']) cpSync(join(root, name), join(folder, name), { recursive: true })
  // Examples and tests are the tree's as well.
  const core = readFileSync(join(root, 'core/Cargo.toml'), 'utf8').replace(/\n\[\[(test|example)\]\][^[]*/g, '\n')
  writeFileSync(join(folder, 'core/Cargo.toml'), core)
  const all = readFileSync(join(root, 'Cargo.toml'), 'utf8')
    .replace(/^members = \[[^\]]*\]$/m, 'members = ["core", "bindings/nodejs"]')
    .replace(/^default-members = .*$/m, '')
  writeFileSync(join(folder, 'Cargo.toml'), all)
  return folder
}

function build () {
  // Outside of a checkout nobody wants to keep hundreds of megabytes of what cargo made.
  const scratch = existsSync(join(root, 'xtask')) ? null : stage()
  const args = ['build', '--quiet', '--package', 'steadis-nodejs', '--message-format=json-render-diagnostics']
  if (!process.argv.includes('--dev')) args.push('--release')
  // The lock holds in both; in the smaller workspace it has more than is needed.
  if (!scratch) args.push('--locked')
  else if (!process.env.CARGO_TARGET_DIR) args.push('--target-dir', join(scratch, 'target'))
  const options = { cwd: scratch ?? root, stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 1 << 28 }
  try {
    const lines = execFileSync(process.env.CARGO || 'cargo', args, options).toString().split('\n').filter(Boolean)
    const artifacts = lines.map((line) => JSON.parse(line)).filter((it) => it.target?.name === 'steadis_nodejs' && it.filenames)
    const library = artifacts.at(-1).filenames.find((name) => /\.(so|dylib|dll)$/.test(name))
    // A new file: a process that has the old one open must not see it change.
    rmSync(out, { force: true })
    copyFileSync(library, out)
  } finally {
    if (scratch) rmSync(scratch, { recursive: true, force: true })
  }
}

if (!process.argv.includes('--if-missing') || !(existsSync(out) || isInstalled())) build()
