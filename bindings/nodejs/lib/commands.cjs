'use strict'
// The methods that the table of commands gives to whoever can carry them out.

const native = require('./native.cjs')

const table = native.table()
const indexes = new Map(table.map((row, index) => [row.name, index]))

/** The number of a command, by its name in Redis' notation. */
const indexOf = (name) => indexes.get(name)

/** The names of a command as a method: `hgetall` and `hGetAll`, `xgroup_create` and `xGroupCreate`. */
function names ({ name, camel }) {
  const lower = name.replaceAll(/[|-]/g, '_')
  return [...new Set([camel, lower, camel.toLowerCase()])]
}

/**
 * Gives a prototype a method for every command; `make(index)` makes it. Methods that are there
 * already stay.
 */
function attach (prototype, make) {
  table.forEach((row, index) => {
    if (!row.method) return
    const method = make(index)
    for (const name of names(row)) {
      if (Object.hasOwn(prototype, name)) continue
      Object.defineProperty(prototype, name, { value: method, configurable: true, writable: true })
    }
  })
}

module.exports = { table, indexOf, names, attach }
