// Where a method in small letters answers as ioredis does, and one with capitals as node-redis does.

import { CamelCaseCommands, Key, LowerCaseCommands, Value, Words } from './commands'

type FlatEntry<T> = [id: T, fields: T[]]
type FlatStream<T> = [stream: T, entries: FlatEntry<T>[]]

/** Calls with arguments as in the manual; with options in an object the reply has our shape. */
export interface IORedisCommands<T> {
  xrange (key: Key, start: Value, end: Value, ...words: Words): Promise<FlatEntry<T>[]>
  xrevrange (key: Key, end: Value, start: Value, ...words: Words): Promise<FlatEntry<T>[]>
  xread (...words: Words): Promise<FlatStream<T>[] | null>
  xreadgroup (...words: Words): Promise<FlatStream<T>[] | null>
  xclaim (key: Key, group: Value, consumer: Value, ...words: Words): Promise<FlatEntry<T>[] | T[]>
  xautoclaim (key: Key, group: Value, consumer: Value, ...words: Words): Promise<[T, FlatEntry<T>[] | T[], T[]]>
  hscan (key: Key, cursor: Value, ...words: Words): Promise<[T, T[]]>
  zscan (key: Key, cursor: Value, ...words: Words): Promise<[T, T[]]>
  zpopmin (key: Key, ...words: Words): Promise<T[]>
  zpopmax (key: Key, ...words: Words): Promise<T[]>
  bzpopmin (...words: Words): Promise<[T, T, string] | null>
  bzpopmax (...words: Words): Promise<[T, T, string] | null>
  zscore (key: Key, member: Value): Promise<string | null>
  zmscore (key: Key, ...words: Words): Promise<(string | null)[]>
  zincrby (key: Key, increment: Value, member: Value): Promise<string>
  zrange (key: Key, start: Value, stop: Value, ...words: Words): Promise<T[]>
  zrevrange (key: Key, start: Value, stop: Value, ...words: Words): Promise<T[]>
  zrangebyscore (key: Key, min: Value, max: Value, ...words: Words): Promise<T[]>
  zrevrangebyscore (key: Key, max: Value, min: Value, ...words: Words): Promise<T[]>
  zunion (...words: Words): Promise<T[]>
  zinter (...words: Words): Promise<T[]>
  zdiff (...words: Words): Promise<T[]>
  zrandmember (key: Key, ...words: Words): Promise<T | T[] | null>
}

type Message<T> = { id: T, message: Record<string, T> | null }
type Member<T> = { value: T, score: number }
type From = { key: Key, id: Value }

export interface NodeRedisCommands<T> {
  xRange (...call: Parameters<CamelCaseCommands<T>['xRange']>): Promise<Message<T>[]>
  xRevRange (...call: Parameters<CamelCaseCommands<T>['xRevRange']>): Promise<Message<T>[]>
  xRead (streams: From | readonly From[], options?: { COUNT?: number, BLOCK?: number }): Promise<{ name: string, messages: Message<T>[] }[] | null>
  xReadGroup (group: Value, consumer: Value, streams: From | readonly From[], options?: { COUNT?: number, BLOCK?: number, NOACK?: boolean }): Promise<{ name: string, messages: Message<T>[] }[] | null>
  xClaim (...call: Parameters<CamelCaseCommands<T>['xClaim']>): Promise<(Message<T> | T)[]>
  xAutoClaim (...call: Parameters<CamelCaseCommands<T>['xAutoClaim']>): Promise<{ nextId: T, messages: (Message<T> | T)[], deletedMessages: T[] }>
  hScan (key: Key, cursor: Value, options?: { MATCH?: Value, COUNT?: number }): Promise<{ cursor: string, entries: { field: string, value: T }[] }>
  sScan (key: Key, cursor: Value, options?: { MATCH?: Value, COUNT?: number }): Promise<{ cursor: string, members: T[] }>
  zScan (key: Key, cursor: Value, options?: { MATCH?: Value, COUNT?: number }): Promise<{ cursor: string, members: Member<T>[] }>
  zPopMin (key: Key): Promise<Member<T> | null>
  zPopMin (key: Key, count: number): Promise<Member<T>[]>
  zPopMax (key: Key): Promise<Member<T> | null>
  zPopMax (key: Key, count: number): Promise<Member<T>[]>
  bzPopMin (keys: Key | readonly Key[], timeout: number): Promise<{ key: T, value: T, score: number } | null>
  bzPopMax (keys: Key | readonly Key[], timeout: number): Promise<{ key: T, value: T, score: number } | null>
  zRangeWithScores (...call: Parameters<CamelCaseCommands<T>['zRange']>): Promise<Member<T>[]>
}

/** SCAN has the same name in both: options in an object are node-redis' habit. */
export interface Scan<T> {
  scan (cursor: Value, options: { MATCH?: Value, COUNT?: number | bigint, TYPE?: Value }): Promise<{ cursor: string, keys: T[] }>
  scan (cursor: Value, ...words: Words): Promise<[T, T[]]>
}

export type Commands<T = string> =
  Omit<CamelCaseCommands<T>, keyof NodeRedisCommands<T> | 'scan'> & NodeRedisCommands<T> & Scan<T> &
  Omit<LowerCaseCommands<T>, keyof IORedisCommands<T> | 'scan'> &
  { [Name in keyof IORedisCommands<T>]: IORedisCommands<T>[Name] & (Name extends keyof LowerCaseCommands<T> ? LowerCaseCommands<T>[Name] : unknown) } &
  { [Name in keyof CamelCaseCommands<T> as `${Lowercase<Name & string>}Buffer`]: CamelCaseCommands<Buffer>[Name] }
