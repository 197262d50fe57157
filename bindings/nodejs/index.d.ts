import { EventEmitter } from 'node:events'
import { Readable } from 'node:stream'
import { Key, Value } from './commands'
import { Commands } from './shapes'

/** Settings by name; docs/configuration.md has them all, with those of ioredis and node-redis. */
export interface Options {
  sentinels?: readonly (string | { host: string, port?: number })[] | string
  primaryName?: string
  host?: string
  port?: number
  username?: string
  password?: string
  db?: number
  clientName?: string
  tls?: boolean | object
  connectTimeout?: number
  commandTimeout?: number
  failoverTimeout?: number
  retryWrites?: 'unsent' | 'always'
  bigints?: boolean
  /** Shares its connections with no other client. */
  ownConnection?: boolean
  [name: string]: unknown
}

export interface CallOptions {
  timeout?: number
  signal?: AbortSignal
  retryWrites?: 'unsent' | 'always'
  buffers?: boolean
  bigints?: boolean
}

export interface Message { type: 'message', channel: string, pattern: string | null, data: string }
/** Messages of this time may be missing. */
export interface Gap { type: 'gap', since: Date, until: Date }

export type Listener = (message: string, channel: string) => void

export interface Subscription extends AsyncIterable<Message | Gap>, PromiseLike<number> {
  ready (): Promise<void>
}

export interface Topology {
  epoch: number
  phase: string
  primary: string | null
  replicas: string[]
  sentinels: { address: string, up: boolean, says: string }[]
}

export interface Health {
  state: 'ready' | 'degraded' | 'failing_over' | 'down'
  primary?: string | null
  reason: string | null
}

/** The primary is another one now; `from` is null for the first. */
export interface Failover {
  from: string | null
  to: string
  detectedBy: string
  tookMs: number
  epoch: number
  held: number
  repeated: number
  maybeExecuted: number
}

export interface Script { (given?: { keys?: readonly Key[], args?: readonly Value[] }): Promise<any>, readonly digest: string }

/** Commands that are sent in one go. */
export type Batch = { [Name in keyof Commands]: (...args: Parameters<Commands[Name]>) => Batch } & {
  call (...words: (Value | readonly Value[])[]): Batch
  run (script: Script, given?: { keys?: readonly Key[], args?: readonly Value[] }): Batch
  exec (): Promise<any[]>
  outcomes (): Promise<any[]>
}

declare class BaseClient<T> extends EventEmitter {
  call (...words: (Value | readonly Value[])[]): Promise<any>
  options (options?: CallOptions): Client<T>
  readonly buffers: Client<Buffer>
  replica (options?: { policy?: string, maxLag?: number }): Client<T>
  pipeline (): Batch
  multi (): Batch
  watch (keys: Key | readonly Key[], body: (view: Client<T>, transaction: Batch) => unknown): Promise<any[]>
  script (source: string): Script
  subscribe (...channels: (string | readonly string[] | { patterns?: string | readonly string[], shards?: string | readonly string[] })[]): Subscription
  subscribe (channels: string | readonly string[], listener: Listener): Subscription
  psubscribe (...patterns: (string | readonly string[])[]): Subscription
  pSubscribe (patterns: string | readonly string[], listener: Listener): Subscription
  ssubscribe (...channels: (string | readonly string[])[]): Subscription
  sSubscribe (channels: string | readonly string[], listener: Listener): Subscription
  unsubscribe (channels?: string | readonly string[], listener?: Listener): Promise<number>
  punsubscribe (patterns?: string | readonly string[], listener?: Listener): Promise<number>
  pUnsubscribe (patterns?: string | readonly string[], listener?: Listener): Promise<number>
  sunsubscribe (channels?: string | readonly string[], listener?: Listener): Promise<number>
  sUnsubscribe (channels?: string | readonly string[], listener?: Listener): Promise<number>
  sendCommand (words: readonly Value[]): Promise<any>
  scanIterator (options?: { MATCH?: string, COUNT?: number, TYPE?: string }): AsyncIterableIterator<string>
  sScanIterator (key: Key, options?: { MATCH?: string, COUNT?: number }): AsyncIterableIterator<string>
  hScanIterator (key: Key, options?: { MATCH?: string, COUNT?: number }): AsyncIterableIterator<[field: string, value: string]>
  zScanIterator (key: Key, options?: { MATCH?: string, COUNT?: number }): AsyncIterableIterator<[member: string, score: number]>
  scanStream (options?: { match?: string, count?: number, type?: string }): Readable
  sscanStream (key: Key, options?: { match?: string, count?: number }): Readable
  hscanStream (key: Key, options?: { match?: string, count?: number }): Readable
  zscanStream (key: Key, options?: { match?: string, count?: number }): Readable
  ready (): Promise<this>
  connect (): Promise<this>
  topology (): Topology
  health (): Health
  stats (): Record<string, number>
  stats (options: { format: 'prometheus' }): string
  explain (): any
  warnings (): string[]
  readonly status: 'wait' | 'connecting' | 'ready' | 'reconnecting' | 'end'
  readonly isOpen: boolean
  readonly isReady: boolean
  duplicate (overrides?: Options): Client<T>
  client (word: string, ...words: (Value | readonly Value[])[]): Promise<any>
  clientSetName (name: string): Promise<'OK'>
  defineCommand (name: string, definition: { lua: string, numberOfKeys?: number }): void
  asIORedis (): any
  asNodeRedis (): any
  on (event: 'failover', listener: (event: Failover) => void): this
  on (event: string | symbol, listener: (...args: any[]) => void): this
  ref (): this
  unref (): this
  close (): Promise<void>
  quit (): Promise<'OK'>
  disconnect (): Promise<void>
  destroy (): void
  [Symbol.asyncDispose] (): Promise<void>
  [Symbol.dispose] (): void
}

export type Client<T = string> = BaseClient<T> & Commands<T>
export declare const Client: new (url?: string | URL | Options, options?: Options) => Client

/** A client of what the URL, the options or the environment describe, at once. */
export declare function connect (url?: string | URL | Options, options?: Options): Client
export declare const createClient: typeof connect

/** Who is primary, for programs that keep a client library of their own. */
export declare class Resolver extends EventEmitter {
  constructor (url?: string | URL | Options, options?: Options)
  current (): { host: string, port: number, epoch: number } | null
  primary (options?: { timeout?: number, signal?: AbortSignal }): Promise<{ host: string, port: number, epoch: number }>
  replicas (): { host: string, port: number }[]
  topology (): Topology
  report (epoch: number, error?: unknown): boolean
  close (): void
  [Symbol.dispose] (): void
}

/** The base of all errors of this package. */
export declare class SteadisError extends Error {
  readonly kind: string
  readonly retryable: boolean
  readonly maybeExecuted: boolean
  readonly code?: string
  readonly command?: string
  readonly address?: string
}
export declare class ConfigError extends SteadisError {}
export declare class UsageError extends SteadisError {}
export declare class UnavailableError extends SteadisError {}
export declare class TimeoutError extends SteadisError {}
export declare class MaybeExecutedError extends SteadisError {}
export declare class AuthError extends SteadisError {}
export declare class ServerError extends SteadisError {}
export declare class BusyError extends SteadisError {}
export declare class ClosedError extends SteadisError {}
export declare class InternalError extends SteadisError {}
