/**
 * When to ask again: schedules that are fed each status and decide how long to wait for the next.
 *
 * `adaptive`, the default, learns how long generations take. A poll is worth most where the end is likely. With polls at
 * a density of `r(t)`, the expected lag is `∫ f / 2r` and the expected number of polls `∫ r S`, where `f` is the density
 * of the durations and `S` the share of them that is longer than `t`. With `h = f / S`, the hazard, and a second of lag
 * as dear as `c` polls, `r = √(c h / 2)` makes their sum smallest: from each poll to the next, `∫ √h` grows by `√(2 / c)`.
 * This is Keller's rule (Optimum checking schedules for systems subject to random failure, 1974). The exact optimum
 * (Barlow, Hunter and Proschan, Optimum checking procedures, 1963) is a few in a hundred better where the durations are
 * known, from two or three polls on. But it hangs on a first poll that has to be searched for and on the slope of `f`,
 * and neither is to be had from a few dozen generations. Lag times polls falls to `(∫ √(f S))² / E[T]` of what it is with
 * a fixed pause: to 0.51 for lognormal durations with a sigma of 0.3, and to 0.73 with 0.5.
 *
 * The hazard comes from a histogram on a logarithmic scale, smoothed, so that two kinds of durations under one name
 * remain two. A poll only tells that a stage ended since the poll before: that one generation is shared out over the
 * interval as the histogram so far expects it (Turnbull's self-consistency, 1976). Each generation counts a little less
 * with each that follows. Where one is unlikely, the histogram is forgotten to the degree that it is more likely that
 * times have changed (Bayes' rule for a change at any generation, as in Adams and MacKay, 2007). A small share of a
 * heavy-tailed prior stays for good and no pause is ever longer than `max`, so nothing learned makes it blind.
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
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as ScheduleDecision from "effect/ScheduleDecision"
import * as ScheduleInterval from "effect/ScheduleInterval"
import type { GenerationStatus } from "./Generation.js"
import { monotonicSeconds } from "./internal/clock.js"
import { nextPoll } from "./internal/adaptivePolling/hazardModel.js"
import { DurationHistory, makeDurationHistory } from "./internal/adaptivePolling/durationHistory.js"
import type { StageObservation } from "./internal/adaptivePolling/stageObservation.js"
import { pickedUp, seen, submitted } from "./internal/adaptivePolling/stageObservation.js"
import { PollContext } from "./internal/durationRecorder.js"

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
 * Asks often at first and then less and less often, up to a longest pause.
 *
 * @since 0.1.0
 * @category schedules
 */
export const exponential = (options: ExponentialOptions = {}): Schedule.Schedule<unknown, GenerationStatus> =>
  Schedule.exponential(options.initial ?? "500 millis", options.factor ?? 1.25).pipe(
    Schedule.union(Schedule.spaced(options.max ?? "3 seconds"))
  )

/**
 * @since 0.1.0
 * @category options
 */
export interface AdaptiveOptions {
  /**
   * How many polls it is worth to learn a second earlier that a generation has ended. Four times as much makes for half
   * the lag and twice the polls. Default: 20.
   */
  readonly lagCost?: number | undefined
  /** The shortest pause. Default: 100 milliseconds. */
  readonly min?: Duration.DurationInput | undefined
  /** The longest pause, whatever was learned. Default: 8 seconds. */
  readonly max?: Duration.DurationInput | undefined
}

// Late news of the end of the queue delays no image as long as the drawing goes on. It only blurs when that began.
const queueShare = 0.25

/**
 * Asks often when a generation is likely to end and seldom when it is not, from how long those before it took. This is
 * how generations are polled unless they are told otherwise.
 *
 * Durations are kept for each model and number of images, the queue's apart from the drawing's. They are learned from
 * every generation that this program submits and that completes, however it is polled. A generation that is picked up
 * by its id has been under way for an unknown time: it is polled by what that leaves to expect, and not learned from.
 *
 * What is learned lasts as long as the process, across layers and runtimes: a program may build those for each
 * call. It is bound to the `Clock` on which it was measured, so tests, each with a `TestClock` of its own, do not learn
 * from each other. `layerHistory` keeps it apart in other ways.
 *
 * @example
 * ```ts
 * import { Arta, Polling } from "effect-arta"
 *
 * // Five polls are not too many to see the images a second earlier.
 * export const events = Arta.generate({ prompt: "a lighthouse" }, { polling: Polling.adaptive({ lagCost: 5 }) })
 * ```
 *
 * @since 0.1.0
 * @category schedules
 */
export const adaptive = (options: AdaptiveOptions = {}): Schedule.Schedule<unknown, GenerationStatus> => {
  const lagCost = options.lagCost ?? 20
  const max = Math.max(1, Math.floor(Duration.toMillis(options.max ?? "8 seconds")))
  const min = Math.min(max, Math.max(1, Math.ceil(Duration.toMillis(options.min ?? "100 millis"))))
  // A cost that makes no sense comes to no number, and that to the longest pause.
  const bounded = (millis: number) => (millis < max ? Math.max(min, Math.ceil(millis)) : max)

  return Schedule.makeWithState<StageObservation | undefined, GenerationStatus, Duration.Duration>(
    undefined,
    (now, { _tag }, before) =>
      Effect.zipWith(PollContext, monotonicSeconds, ({ hazardModel, submittedAt }, instant) => {
        const stage = _tag === "Queued" ? "Queued" : "InProgress"
        const start = before ?? (submittedAt === undefined ? pickedUp(stage, instant) : submitted(submittedAt))
        const observation = seen(start, stage, instant)
        const age = Math.max(0, instant - observation.since)
        const due = nextPoll(hazardModel(observation), age, stage === "Queued" ? lagCost * queueShare : lagCost)
        const millis = bounded((due - age) * 1_000)
        return [
          observation,
          Duration.millis(millis),
          ScheduleDecision.continueWith(ScheduleInterval.after(now + millis))
        ] as const
      })
  )
}

/**
 * A history of its own for what is run with this layer. Without it, `adaptive` learns from all generations of the
 * process: right for one service, but not for several that draw at different speeds.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerHistory: Layer.Layer<never> = /* @__PURE__ */ Layer.sync(DurationHistory, makeDurationHistory)
