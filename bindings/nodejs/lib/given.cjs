'use strict'
// What callers have given, looked at before anything is done with it.

const { classes: { ConfigError }, usage } = require('./errors.cjs')

/** Whether it is a plain object: options, and no value of some class. */
function isObject (it) {
  if (typeof it !== 'object' || it === null) return false
  const prototype = Object.getPrototypeOf(it)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** `text`, `a number`, `null`, …: what a value is, for those who expected another. */
function what (it) {
  if (it === null || it === undefined) return String(it)
  if (Array.isArray(it)) return 'a list'
  return typeof it === 'object' ? 'an object' : `a ${typeof it}`
}

/** The URL as text, if there is one, and the options: of `connect(url?, options?)`. */
function place (url, options) {
  if (isObject(url)) [url, options] = [undefined, url]
  if (url instanceof URL) url = url.href
  if (url !== undefined && url !== null && typeof url !== 'string') {
    throw new ConfigError(`the url argument is ${what(url)}; write redis://host:port, or options in an object`, 'Config')
  }
  if (options !== undefined && options !== null && !isObject(options)) {
    throw new ConfigError(`the options are ${what(options)}; write an object such as { host, port }`, 'Config')
  }
  return [url ?? undefined, options ?? {}]
}

/** Options of a call, by name. */
function options (it, where) {
  if (it === undefined || it === null) return {}
  if (!isObject(it)) throw usage(`the options of ${where} are ${what(it)}; write an object`)
  return it
}

/** Words of which some are in lists, in one. */
function flat (words) {
  try {
    return words.flat()
  } catch (error) {
    throw unreadable(error)
  }
}

/** An argument that throws when it is looked at. */
const unreadable = (error) => usage(`an argument cannot be read: ${error?.message ?? error}`)

module.exports = { flat, isObject, options, place, unreadable, what }
