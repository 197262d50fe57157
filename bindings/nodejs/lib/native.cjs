'use strict'
// Finds the native part: what was built in this tree, or a package for this platform.

const { existsSync } = require('node:fs')
const { join } = require('node:path')
const { platformNames } = require('./platform.cjs')

function load () {
  const given = process.env.NAPI_RS_NATIVE_LIBRARY_PATH
  if (given) return require(given)
  const names = platformNames()
  const built = names.map((name) => join(__dirname, '..', `steadis.${name}.node`)).filter((path) => existsSync(path))
  const causes = []
  for (const path of [...built, ...names.map((name) => `@steadis/${name}`)]) {
    try {
      return require(path)
    } catch (cause) {
      causes.push(cause)
    }
  }
  const how = 'install the package for it, or build it: npm run build (needs cargo)'
  // One that is there and cannot be loaded tells more than those that are not there.
  const cause = causes.find((it) => it.code !== 'MODULE_NOT_FOUND') ?? causes.at(-1)
  throw new Error(`steadis has no native part for ${names.join(' or ')}: ${how}`, { cause })
}

const native = load()
native.install(require('./convert.cjs'))

/** Who is told what happens on other threads, by the numbers that `start` gives out. */
native.listeners = new Map()
native.ring = (number, event) => native.listeners.get(number)?.(event)

/** The functions that every command goes through. */
native.functions = native.functions()

module.exports = native
