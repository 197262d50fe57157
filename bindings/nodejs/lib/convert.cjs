'use strict'
// The part of the conversion that JavaScript does better by itself; the native part calls it.

const { makeError } = require('./errors.cjs')

const list = (...items) => items

function extend (list, ...items) {
  list.push(...items)
}

const map = (...items) => mapOf(items)

function mapOf (items) {
  const object = {}
  for (let i = 0; i < items.length; i += 2) {
    const key = items[i]
    if (key === '__proto__') {
      Object.defineProperty(object, key, { value: items[i + 1], enumerable: true, configurable: true, writable: true })
    } else {
      object[key] = items[i + 1]
    }
  }
  return object
}

const slice = (buffer, start, end) => buffer.subarray(start, end)

/** Keys and values in turn of a plain object or a Map; text as it is; else `undefined`. */
function entries (object) {
  if (object instanceof String) return String(object)
  if (object instanceof Map) return [...object].flat()
  const prototype = Object.getPrototypeOf(object)
  if (prototype !== null && prototype !== Object.prototype && Object.getPrototypeOf(prototype) !== null) return undefined
  return Object.entries(object).flat(1)
}

module.exports = { list, extend, map, mapOf, slice, entries, error: makeError, bigInt: BigInt }
