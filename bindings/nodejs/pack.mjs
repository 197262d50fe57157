// Prepares what is published: the package, and the one with the native part for this platform.
//
//   node bindings/nodejs/pack.mjs FOLDER [--dev]
//
// Neither has an install script. The package of every other platform is made on such a one; npm
// takes from those that are there the one that fits.

import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const { platformName } = createRequire(import.meta.url)('./lib/platform.cjs')
const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, '..', '..')
const PLATFORMS = [
  'linux-x64-gnu', 'linux-x64-musl', 'linux-arm64-gnu', 'linux-arm64-musl',
  'darwin-x64', 'darwin-arm64', 'win32-x64-msvc'
]

const [folder, ...flags] = process.argv.slice(2)
if (folder === undefined) {
  console.error('usage: node bindings/nodejs/pack.mjs FOLDER [--dev]')
  process.exit(2)
}
const out = resolve(folder)
const { scripts, devDependencies, ...manifest } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const licences = readdirSync(root).filter((name) => name.startsWith('LICENSE-'))

/** Makes a package of these files of the tree; the name of what npm has made of it. */
function pack (manifest, files) {
  const stage = join(out, 'stage')
  rmSync(stage, { recursive: true, force: true })
  mkdirSync(stage, { recursive: true })
  for (const [path, to = path] of files) cpSync(join(root, path), join(stage, to), { recursive: true })
  writeFileSync(join(stage, 'package.json'), JSON.stringify(manifest, null, 2) + '\n')
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  const name = execFileSync(npm, ['pack', '--silent', '--pack-destination', out], { cwd: stage, encoding: 'utf8' })
  rmSync(stage, { recursive: true })
  return name.trim()
}

execFileSync(process.execPath, [join(here, 'build.mjs'), ...flags], { stdio: 'inherit' })

const platform = platformName()
const [os, cpu, abi] = platform.split('-')
const library = `steadis.${platform}.node`
const { version, description, license, engines } = manifest
const native = {
  name: `@steadis/${platform}`,
  version,
  description: `${description}: the native part for ${platform}`,
  license,
  engines,
  os: [os],
  cpu: [cpu],
  ...(os === 'linux' ? { libc: [abi === 'musl' ? 'musl' : 'glibc'] } : {}),
  main: library,
  files: [library, 'LICENSE-*']
}
console.log(pack(native, [[`bindings/nodejs/${library}`, library], ...licences.map((it) => [it])]))

const sources = readdirSync(here).filter((it) => /^(index\..*|.*\.d\.ts|lib|hybrid)$/.test(it)).map((it) => `bindings/nodejs/${it}`)
const main = {
  ...manifest,
  files: [...sources, 'LICENSE-*'],
  optionalDependencies: Object.fromEntries(PLATFORMS.map((it) => [`@steadis/${it}`, version]))
}
console.log(pack(main, [...sources, 'README.md', ...licences].map((it) => [it])))
