'use strict'
// Finds the native part: a package for this platform, or what was built in this tree.

const { join } = require('node:path')
const { existsSync } = require('node:fs')
const { platformName } = require('./platform.cjs')

function load () {
  const name = platformName()
  const built = process.env.NAPI_RS_NATIVE_LIBRARY_PATH || join(__dirname, '..', `steadis.${name}.node`)
  if (existsSync(built)) return require(built)
  try {
    return require(`@steadis/${name}`)
  } catch (cause) {
    const how = 'install the package for it, or build it: npm run build (needs cargo)'
    throw new Error(`steadis has no native part for ${name}: ${how}`, { cause })
  }
}

const native = load()
native.install(require('./convert.cjs'))

module.exports = native
