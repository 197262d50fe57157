// One slice of one contender, and what a row of slices comes to.

/** How many milliseconds one contender runs before it is the next one's turn. */
export const SLICE = 150

export function median (numbers) {
  const sorted = Float64Array.from(numbers).sort()
  return sorted[sorted.length >> 1]
}

/** What one contender did in all its turns. */
export class Slices {
  rates = []
  cpu = []
  waits = []

  /** Processor time of an operation, and the median of its duration, in microseconds. */
  figures () {
    return { cpu: median(this.cpu), wait: median(this.waits) }
  }

  /** How many times as much as another did in its turns beside these. */
  ratio (other) {
    return median(this.rates.map((rate, turn) => rate / other.rates[turn]))
  }
}

/** So many callers do it over and over for a slice. */
export async function slice (operation, callers, slices) {
  const waits = []
  const began = performance.now()
  const used = process.cpuUsage()
  const end = began + SLICE
  await Promise.all(Array.from({ length: callers }, async () => {
    let before = performance.now()
    while (before < end) {
      await operation()
      const after = performance.now()
      waits.push(after - before)
      before = after
    }
  }))
  const { user, system } = process.cpuUsage(used)
  slices?.rates.push(waits.length / (performance.now() - began))
  slices?.cpu.push((user + system) / waits.length)
  slices?.waits.push(median(waits) * 1000)
}
