// One native part for both module systems: this only names what index.cjs has.

import steadis from './index.cjs'

export const {
  connect,
  createClient,
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

/** The class of that name, which is loaded when it is used. */
function later (name) {
  const Class = new Proxy(function () {}, {
    construct: (_, args, target) => Reflect.construct(steadis[name], args, target === Class ? steadis[name] : target),
    get: (_, property) => Reflect.get(steadis[name], property)
  })
  return Class
}

export const Client = later('Client')
export const Resolver = later('Resolver')
