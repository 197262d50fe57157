'use strict'
// Commands that an application defines, called as ioredis has it: keys and arguments in one row.

/** The keys and the arguments of a call; without a number of keys, it is the first argument. */
function split (given, numberOfKeys) {
  const words = given.flat(Infinity).map(spelled)
  const count = numberOfKeys ?? Number(words.shift())
  return { keys: words.slice(0, count), args: words.slice(count) }
}

/** What scripts for ioredis look for: 'true', 'false', and '' where there is nothing. */
const spelled = (it) => it === null || it === undefined ? '' : typeof it === 'boolean' ? String(it) : it

module.exports = { split }
