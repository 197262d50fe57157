// One native part for both module systems: this only names what index.cjs has.

import steadis from './index.cjs'

export const {
  connect,
  createClient,
  Client,
  Resolver,
  SteadisError,
  ConfigError,
  UsageError,
  UnavailableError,
  TimeoutError,
  MaybeExecutedError,
  AuthError,
  ServerError,
  BusyError,
  ClosedError,
  InternalError
} = steadis
export default steadis
