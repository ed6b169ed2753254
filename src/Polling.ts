/**
 * When to ask again: schedules that are fed each status and decide how long to wait for the next.
 *
 * Any `Schedule` will do. One that ends gives the generation up with a `GenerationTimeoutError`, from which it can be
 * picked up again.
 *
 * @example
 * ```ts
 * import { Arta, Polling } from "effect-arta"
 *
 * export const events = Arta.generate({ prompt: "a lighthouse" }, { polling: Polling.fixed("2 seconds") })
 * ```
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Schedule from "effect/Schedule"
import type { GenerationStatus } from "./Generation.js"

/**
 * Asks again after the same pause every time.
 *
 * @since 0.1.0
 * @category schedules
 */
export const fixed = (interval: Duration.DurationInput): Schedule.Schedule<unknown, GenerationStatus> =>
  Schedule.spaced(interval)

/**
 * @since 0.1.0
 * @category options
 */
export interface ExponentialOptions {
  /** The first pause. Default: 500 milliseconds. */
  readonly initial?: Duration.DurationInput | undefined
  /** By how much each pause is longer than the one before. Default: 1.25. */
  readonly factor?: number | undefined
  /** The longest pause. Default: 3 seconds. */
  readonly max?: Duration.DurationInput | undefined
}

/**
 * Asks often at first and then less and less often, up to a longest pause. With its defaults, this is how generations
 * are polled unless they are told otherwise.
 *
 * @since 0.1.0
 * @category schedules
 */
export const exponential = (options: ExponentialOptions = {}): Schedule.Schedule<unknown, GenerationStatus> =>
  Schedule.exponential(options.initial ?? "500 millis", options.factor ?? 1.25).pipe(
    Schedule.union(Schedule.spaced(options.max ?? "3 seconds"))
  )
