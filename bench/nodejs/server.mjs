// A redis-server of the bench's own, on loopback and a free port.

import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { availableParallelism, tmpdir } from 'node:os'
import { createInterface } from 'node:readline'

/** One caller and the server on one processor, many on all: see docs/decisions. */
function shareProcessors (callers, processes) {
  const last = PROCESSORS - 1
  for (const process of processes) execFileSync('taskset', ['-pc', callers === 1 ? last : `0-${last}`, process])
}

/** As many as there are before they are shared. */
const PROCESSORS = availableParallelism()

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
    await work(port, (callers) => shareProcessors(callers, [server.pid, process.pid]))
  } finally {
    server.kill()
    await end
  }
}
