import * as Array from "effect/Array"
import * as Option from "effect/Option"
import * as Order from "effect/Order"

/** What is known of a batch. Times are in milliseconds. */
export interface Workload {
  /** How long a generation took on average. None: none has ended yet. */
  readonly average: Option.Option<number>
  /** How long the generations in flight have run. */
  readonly running: ReadonlyArray<number>
  /** The number of rows that have not started. */
  readonly waiting: number
  readonly concurrency: number
}

/**
 * The time until the last row ends, if each takes as long as the average so far. Rows run in waves: a row that ends
 * makes room for one that waits. None: no generation has ended yet.
 */
export const timeLeft = ({ average, concurrency, running, waiting }: Workload): Option.Option<number> =>
  Option.map(average, (duration) => {
    const inFlight = running.map((elapsed) => Math.max(0, duration - elapsed))
    const free = Array.replicate(0, concurrency).slice(running.length)
    const lanes = Array.sort([...inFlight, ...free], Order.number)
    const waves = Math.floor(waiting / lanes.length)
    const rest = waiting % lanes.length
    const endOf = (lane: number, wavesBefore: number) => (lanes[lane] ?? 0) + wavesBefore * duration
    return Math.max(endOf(lanes.length - 1, waves), rest === 0 ? 0 : endOf(rest - 1, waves + 1))
  })

/** `20 s`, `3 min`, `1 h 20 min` */
export const timeText = (millis: number): string => {
  const seconds = Math.ceil(millis / 1000)
  if (seconds < 60) return `${String(seconds)} s`
  const minutes = Math.ceil(seconds / 60)
  if (minutes < 60) return `${String(minutes)} min`
  return `${String(Math.floor(minutes / 60))} h ${String(minutes % 60)} min`
}
