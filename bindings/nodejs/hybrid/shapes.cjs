'use strict'
// Replies as ioredis and as node-redis give them, for the commands in which they differ from ours.
//
// A method in small letters is ioredis' (`xrange`), one with capitals node-redis' (`xRange`). Both
// come from our shape: maps are objects, scores are numbers.

const flat = (object) => Object.entries(object).flat()
const score = (number) => number === null ? null : String(number)

/** [[id, { field: value }]] as ioredis has it: [[id, [field, value]]]. */
const flatEntries = (entries) => entries.map((entry) => entry && [entry[0], entry[1] && flat(entry[1])])
/** The same as node-redis has it: [{ id, message }]. */
const messages = (entries) => entries.map((entry) => Array.isArray(entry) ? { id: entry[0], message: entry[1] } : entry)

const flatScores = (pairs) => pairs.flatMap(([member, number]) => [member, score(number)])
const members = (pairs) => pairs.map(([value, number]) => ({ value, score: number }))
const isPair = (reply) => reply.length === 2 && !Array.isArray(reply[0])

const scanned = (name) => ([cursor, found]) => ({ cursor: String(cursor), [name]: found })

/** For ioredis, by the name in small letters. `null` stays null. */
const ioredis = {
  xrange: flatEntries,
  xrevrange: flatEntries,
  xclaim: (reply) => Array.isArray(reply[0]) ? flatEntries(reply) : reply,
  xautoclaim: ([cursor, entries, ...rest]) => [cursor, Array.isArray(entries[0]) ? flatEntries(entries) : entries, ...rest],
  xread: (reply) => Object.entries(reply).map(([name, entries]) => [name, flatEntries(entries)]),
  hscan: ([cursor, fields]) => [cursor, Array.isArray(fields) ? fields : flat(fields)],
  zscan: ([cursor, pairs]) => [cursor, flatScores(pairs)],
  zpopmin: (reply) => isPair(reply) ? [reply[0], score(reply[1])] : flatScores(reply),
  bzpopmin: ([key, member, number]) => [key, member, score(number)],
  zscore: score,
  zmscore: (reply) => reply.map(score),
  zrange: (reply) => Array.isArray(reply[0]) ? flatScores(reply) : reply
}
ioredis.xreadgroup = ioredis.xread
ioredis.zpopmax = ioredis.zpopmin
ioredis.bzpopmax = ioredis.bzpopmin
ioredis.zincrby = ioredis.zscore
for (const name of ['zrevrange', 'zrangebyscore', 'zrevrangebyscore', 'zunion', 'zinter', 'zdiff', 'zrandmember']) ioredis[name] = ioredis.zrange

/** For node-redis, by the name with capitals. */
const nodeRedis = {
  xRange: messages,
  xRevRange: messages,
  xClaim: messages,
  xAutoClaim: ([nextId, entries, deletedMessages = []]) => ({ nextId, messages: messages(entries), deletedMessages }),
  xRead: (reply) => Object.entries(reply).map(([name, entries]) => ({ name, messages: messages(entries) })),
  hScan: ([cursor, fields]) => ({ cursor: String(cursor), entries: Object.entries(fields).map(([field, value]) => ({ field, value })) }),
  sScan: scanned('members'),
  zScan: ([cursor, pairs]) => ({ cursor: String(cursor), members: members(pairs) }),
  zPopMin: (reply) => reply.length === 0 ? null : isPair(reply) ? { value: reply[0], score: reply[1] } : members(reply),
  bzPopMin: ([key, value, number]) => ({ key, value, score: number })
}
nodeRedis.xReadGroup = nodeRedis.xRead
nodeRedis.zPopMax = nodeRedis.zPopMin
nodeRedis.bzPopMax = nodeRedis.bzPopMin

/** SCAN has the same name in both: options in an object are node-redis' habit. */
const scan = scanned('keys')

module.exports = { ioredis, nodeRedis, members, scan }
