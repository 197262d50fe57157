// The package in a project of its own: from a clone, from npm's tarball, and as it is published.

import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { root, withLab } from './lab.mjs'

withLab()

const run = promisify(execFile)
const target = process.env.CARGO_TARGET_DIR ?? join(root, 'target')
// With a blank, as paths have them; always the same one, so that cargo finds what it has built.
const place = join(target, 'nodejs packages')

/** The environment of installs: cargo without what takes minutes, and nothing from the network. */
function environment () {
  const cargo = join(place, 'cargo')
  mkdirSync(place, { recursive: true })
  writeFileSync(cargo, '#!/bin/sh\nfor word; do shift; [ "$word" = --release ] || set -- "$@" "$word"; done\nexec cargo "$@"\n', { mode: 0o755 })
  return { ...process.env, CARGO: cargo, CARGO_TARGET_DIR: target, CARGO_NET_OFFLINE: 'true', npm_config_offline: 'true', npm_config_audit: 'false', npm_config_fund: 'false' }
}

/** An empty folder. */
function folder (name) {
  const path = join(place, name)
  rmSync(path, { recursive: true, force: true })
  mkdirSync(path, { recursive: true })
  return path
}

/** A project that depends on these packages. */
async function project (name, dependencies) {
  const path = folder(name)
  writeFileSync(join(path, 'package.json'), JSON.stringify({ name: 'consumer', private: true, dependencies }))
  await run('npm', ['install'], { cwd: path, env: environment() })
  return path
}

/** Both module systems run against a deployment, and the compiler takes both. */
async function use (path) {
  const body = 'connect(); client.set("package", "used").then(() => client.get("package")).then(async (it) => { console.log(it); await client.close() })'
  writeFileSync(join(path, 'use.cjs'), `const { connect } = require('steadis'); const client = ${body}`)
  writeFileSync(join(path, 'use.mjs'), `import { connect } from 'steadis'; const client = ${body}`)
  for (const file of ['use.cjs', 'use.mjs']) {
    assert.equal((await run(process.execPath, [file], { cwd: path, env: process.env })).stdout, 'used\n')
  }
  for (const file of ['consumer.cts', 'consumer.mts']) cpSync(join(root, 'bindings/nodejs/tests/types', file), join(path, file))
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const types = ['--typeRoots', join(root, 'node_modules/@types'), '--types', 'node']
  for (const [module, resolution, ...files] of [['nodenext', 'nodenext', 'consumer.cts', 'consumer.mts'], ['esnext', 'bundler', 'consumer.mts']]) {
    const { stdout } = await run(process.execPath, [tsc, '--strict', '--noEmit', '--target', 'es2022', '--module', module, '--moduleResolution', resolution, ...types, ...files], { cwd: path }).catch((error) => error)
    assert.equal(stdout, '')
  }
}

test('npm install in a clone builds the native part', async () => {
  const path = folder('clone')
  const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root, encoding: 'utf8' }).split('\0')
  for (const file of files) if (file !== '' && existsSync(join(root, file))) cpSync(join(root, file), join(path, file))
  await run('npm', ['install', '--omit=dev'], { cwd: path, env: environment() })
  const built = readdirSync(join(path, 'bindings/nodejs')).filter((it) => it.endsWith('.node'))
  assert.equal(built.length, 1)
  const { stdout } = await run(process.execPath, ['examples/nodejs/five_lines.mjs'], { cwd: path, env: process.env })
  assert.equal(stdout, '3 items\n')
})

test('the tarball of npm pack builds the native part in another project', async () => {
  const { stdout } = await run('npm', ['pack', '--silent', '--pack-destination', folder('tarball')], { cwd: root })
  const path = await project('from tarball', { steadis: `file:${join(place, 'tarball', stdout.trim())}` })
  const installed = join(path, 'node_modules/steadis')
  // Nothing is left of the build but what it was for.
  assert.ok(!existsSync(join(installed, 'build')) && !existsSync(join(installed, 'target')))
  assert.deepEqual(readdirSync(join(installed, 'bindings')), ['nodejs'])
  await use(path)
})

test('the published package has no install script, and takes the native part from that of the platform', async () => {
  const out = folder('published')
  const { stdout } = await run(process.execPath, ['bindings/nodejs/pack.mjs', out, '--dev'], { cwd: root })
  const [native, main] = stdout.trim().split('\n').map((it) => join(out, it))
  assert.deepEqual(readdirSync(out).length, 2)
  const platform = native.match(/steadis-(.+)-\d+\.\d+\.\d+\.tgz$/)[1]
  const path = await project('from published', { steadis: `file:${main}`, [`@steadis/${platform}`]: `file:${native}` })
  const installed = join(path, 'node_modules/steadis')
  const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'))
  assert.equal(manifest.scripts, undefined)
  assert.equal(manifest.optionalDependencies[`@steadis/${platform}`], manifest.version)
  assert.match(readFileSync(join(root, 'Cargo.toml'), 'utf8'), new RegExp(`^version = "${manifest.version}"$`, 'm'))
  assert.deepEqual(readdirSync(installed).sort(), ['LICENSE-APACHE', 'LICENSE-MIT', 'README.md', 'bindings', 'package.json'])
  const { stdout: loaded } = await run(process.execPath, ['-p', 'require("steadis").Client; Object.keys(require.cache).find((it) => it.endsWith(".node"))'], { cwd: path })
  assert.ok(loaded.includes(join('@steadis', platform)), loaded)
  await use(path)
})

test('without a native part the error says what to do', async () => {
  const path = folder('nothing')
  cpSync(join(root, 'bindings/nodejs/lib'), path, { recursive: true })
  const { stderr } = await run(process.execPath, ['-e', 'require("./native.cjs")'], { cwd: path }).catch((error) => error)
  assert.match(stderr, /steadis has no native part for .*: install the package for it, or build it/)
})
