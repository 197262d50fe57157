// A redis-server of the bench's own, on loopback and a free port.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { createInterface } from 'node:readline'

export async function withServer (work) {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address()
  probe.close()
  await once(probe, 'close')
  const options = ['--port', port, '--bind', '127.0.0.1', '--save', '', '--dir', tmpdir()]
  const server = spawn('redis-server', options.map(String), { stdio: ['ignore', 'pipe', 'inherit'] })
  const end = once(server, 'exit')
  try {
    for await (const line of createInterface({ input: server.stdout })) {
      if (line.includes('Ready to accept connections')) break
    }
    server.stdout.resume()
    await work(port)
  } finally {
    server.kill()
    await end
  }
}
