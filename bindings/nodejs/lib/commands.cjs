'use strict'
// The methods that the table of commands gives to whoever can carry them out.

const native = require('./native.cjs')

/** Every command: its `name` in Redis' notation, and the `names` of its methods, if it has any. */
const table = native.table().split('\n').map((line) => {
  const [name, camel] = line.split(' ')
  return { name, camel, names: camel === undefined ? [] : spellings(name, camel) }
})

/** `hGetAll` and `hgetall`; `xGroupCreate`, `xgroup_create` and `xgroupcreate`. */
function spellings (name, camel) {
  const lower = name.replaceAll(/[|-]/g, '_')
  return [...new Set([camel, lower, camel.toLowerCase()])]
}

const indexes = new Map(table.map((row, index) => [row.name, index]))

/** The number of a command, by its name in Redis' notation. */
const indexOf = (name) => indexes.get(name)

/** An object with a method for every command by each of its names; `make(index, row, name)` makes it. */
function methods (make) {
  const all = {}
  table.forEach((row, index) => {
    for (const name of row.names) {
      const method = make(index, row, name)
      if (method !== undefined) all[name] = method
    }
  })
  return all
}

/**
 * A class that has these methods besides those of another, to be extended. They were put on an
 * object that was no prototype yet: the engine makes a new one of a prototype at every change.
 */
function withMethods (Base, methods) {
  const Class = class extends Base {}
  Object.setPrototypeOf(Class.prototype, Object.setPrototypeOf(methods, Base.prototype))
  return Class
}

module.exports = { table, indexOf, methods, withMethods }
