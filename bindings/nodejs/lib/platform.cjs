'use strict'
// What the native part of this platform is called, in the scheme of napi-rs.

/** `linux-x64-gnu`, `darwin-arm64`, `win32-x64-msvc`, … */
function platformName () {
  const { platform, arch } = process
  if (platform === 'linux') return `linux-${arch}-${isMusl() ? 'musl' : 'gnu'}`
  return platform === 'win32' ? `win32-${arch}-msvc` : `${platform}-${arch}`
}

function isMusl () {
  const report = process.report
  if (!report) return false
  // Looking the network's names up would take a moment, and is not needed for the header.
  report.excludeNetwork = true
  return !report.getReport().header.glibcVersionRuntime
}

module.exports = { platformName }
