'use strict'
// Arguments as ioredis and node-redis take them, for the calls in which they differ from ours.

const { isObject, unreadable } = require('../lib/given.cjs')

/** `set(['key', 'value'])` of ioredis: all words in one list. */
function spread (args) {
  if (args.length !== 1 || typeof args[0] !== 'object') return args
  try {
    return Array.isArray(args[0]) && !isObject(args[0][0]) ? args[0] : args
  } catch {
    // What cannot be read is refused by name, as any other argument.
    return args
  }
}

/** `{ expiration: { type: 'EX', value: 60 }, condition: 'NX' }` of node-redis. */
function flatOptions (options) {
  const { expiration, condition, TRIM, COUNT, LIMIT, ...rest } = options
  if (expiration !== undefined) {
    const { type = expiration, value = true } = isObject(expiration) ? expiration : {}
    rest[type] = value
  }
  if (condition !== undefined) rest[condition] = true
  if (COUNT !== undefined) rest.COUNT = COUNT
  if (LIMIT !== undefined) rest.LIMIT = isObject(LIMIT) ? [LIMIT.offset, LIMIT.count] : LIMIT
  if (TRIM !== undefined) {
    rest[TRIM.strategy ?? 'MAXLEN'] = TRIM.threshold
    if (TRIM.strategyModifier === '~') rest.approximate = true
    if (TRIM.limit !== undefined) rest.LIMIT = TRIM.limit
  }
  return rest
}

const lastFlat = (...args) => isObject(args[args.length - 1]) ? [...args.slice(0, -1), flatOptions(args.at(-1))] : undefined

/** `[{ key, id }]` of node-redis: our streams by name. */
function streams (given, options = {}) {
  const all = [given].flat()
  return [all.map((it) => it.key), all.map((it) => it.id), options]
}

/** `{ keys, arguments }` of node-redis, or the number of keys and all words in a list. */
function evaluation (script, given, ...rest) {
  if (Array.isArray(given) && typeof given[0] === 'number' && rest.length === 0) return [script, ...given]
  if (!isObject(given)) return [script, given, ...rest.flat(Infinity)]
  const { keys = [], arguments: args = given.args ?? [] } = given
  return [script, keys.length, ...keys, ...args]
}

/** `{ score, value }` and lists of them. */
function scores (key, given, ...rest) {
  if (!isObject(given) && !(Array.isArray(given) && isObject(given[0]))) return undefined
  const pairs = [given].flat()
  const taken = [key, pairs.some((it) => !('value' in it)) ? given : pairs.map(({ score, value }) => [score, value]), ...rest]
  return lastFlat(...taken) ?? taken
}

/** By the name with capitals; what is `undefined` stays as it was given. */
const habits = {
  set: lastFlat,
  getEx: lastFlat,
  xAdd: lastFlat,
  xTrim: (key, strategy, threshold, options) => isObject(options) || options === undefined
    ? [key, { [strategy]: threshold, approximate: options?.strategyModifier === '~' }]
    : [key, strategy, threshold, options],
  zAdd: scores,
  xRead: (given, options) => isObject([given].flat()[0]) && 'key' in [given].flat()[0] ? streams(given, options) : undefined,
  xReadGroup: (group, consumer, given, options) => isObject([given].flat()[0]) ? [group, consumer, ...streams(given, options)] : undefined,
  eval: evaluation,
  evalSha: evaluation
}

/** Arguments as we take them, or the error that they are. */
function inHabit (habit, args) {
  args = spread(args)
  // Plain words are the same in all habits.
  if (habit === undefined || !args.some(isComposite)) return args
  try {
    return habit(...args) ?? args
  } catch (error) {
    return unreadable(error)
  }
}

const isComposite = (it) => typeof it === 'object'

module.exports = { habits, inHabit, spread }
