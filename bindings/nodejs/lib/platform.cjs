'use strict'
// What the native part of this platform is called, in the scheme of napi-rs.

const { platform, arch } = process

/** `linux-x64-gnu`, `darwin-arm64`, `win32-x64-msvc`, …; all that it can be, the likely one first. */
function platformNames () {
  if (platform === 'linux') return [`linux-${arch}-gnu`, `linux-${arch}-musl`]
  return [platform === 'win32' ? `win32-${arch}-msvc` : `${platform}-${arch}`]
}

/** The one that it is. The report that tells takes too long to be asked for at every start. */
function platformName () {
  const [name, other] = platformNames()
  if (other === undefined) return name
  // Looking the network's names up would take a moment, and is not needed for the header.
  process.report.excludeNetwork = true
  return process.report.getReport().header.glibcVersionRuntime ? name : other
}

module.exports = { platformName, platformNames }
