'use strict'
// Option names of ioredis and node-redis that are more than other words for ours; those the native
// part knows.

const { isObject } = require('../lib/given.cjs')

const pick = (object, names) => Object.fromEntries(names.filter((name) => object?.[name] !== undefined).map((name) => [name, object[name]]))

/** What node-redis nests, in one level. */
function unnest ({ socket, sentinelRootNodes, nodeClientOptions, sentinelClientOptions, nodeAddressMap, database, ...options }) {
  if (socket !== undefined) {
    Object.assign(options, pick(socket, ['host', 'port', 'path', 'connectTimeout', 'tls']))
    Object.assign(options, certificates(socket))
  }
  if (database !== undefined) options.db = database
  if (nodeAddressMap !== undefined && isObject(nodeAddressMap)) options.addressMap = nodeAddressMap
  if (sentinelRootNodes !== undefined) options.sentinels = sentinelRootNodes
  if (nodeClientOptions !== undefined) options = { ...unnest(nodeClientOptions), ...options }
  if (sentinelClientOptions !== undefined) {
    const { username, password, socket } = sentinelClientOptions
    Object.assign(options, { sentinelUsername: username, sentinelPassword: password, sentinelTls: socket?.tls })
  }
  return options
}

/** `tls: { ca: '/path' }` of ioredis: ours are paths in options of their own. */
function certificates (tls) {
  const names = { ca: 'tlsCa', cert: 'tlsCert', key: 'tlsKey', servername: 'tlsServerName' }
  const options = {}
  for (const name in names) if (typeof tls?.[name] === 'string') options[names[name]] = tls[name]
  return options
}

/** What other clients ask of their pools and pipelines, which we have none of. */
const NEEDLESS = new Set([
  'masterPoolSize', 'replicaPoolSize', 'scanInterval', 'reserveClient', 'passthroughClientErrorEvents',
  'clientSideCache', 'commandsQueueMaxLength', 'disableOfflineQueue', 'pingInterval', 'modules', 'functions',
  'scripts', 'commandOptions', 'RESP', 'family', 'noDelay', 'showFriendlyErrorStack', 'scriptsToLoad',
  'offlineQueue', 'preferredSlaves', 'monitor', 'readOnly', 'stringNumbers', 'autoResendUnfulfilledCommands',
  'disableClientInfo', 'clientInfoTag', 'replyMapping', 'skipVersionCheck', 'maxLoadingRetryTime', 'sentinelMaxConnections'
])

/** The options of `connect`, whichever client they were written for. */
function translate (given) {
  const { connectionName, tls, ...options } = unnest(given)
  const ours = {}
  for (const name in options) if (!NEEDLESS.has(name)) ours[name] = options[name]
  if (connectionName !== undefined) ours.clientName = connectionName
  if (isObject(tls)) Object.assign(ours, { tls: true }, certificates(tls))
  else if (tls !== undefined) ours.tls = tls
  return ours
}

module.exports = { translate }
