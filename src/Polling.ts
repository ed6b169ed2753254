/**
 * Polling schedules: each receives a generation's status and decides how long to wait before the next poll.
 *
 * `adaptive` is the default. It learns how long generations take and polls most often when one is likely to end.
 * `docs/adaptive-polling.md` explains the model, with formulas and references. `fixed` and `exponential` do not learn.
 *
 * Any `Schedule` works. If it ends before the generation does, the generation fails with a `GenerationTimeoutError`,
 * whose `recordId` resumes it.
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
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as ScheduleDecision from "effect/ScheduleDecision"
import * as ScheduleInterval from "effect/ScheduleInterval"
import type { GenerationStatus } from "./Generation.js"
import { unsafeMonotonicMillis } from "./internal/clock.js"
import { nextPoll } from "./internal/adaptivePolling/hazardModel.js"
import { DurationHistory, makeDurationHistory } from "./internal/durationHistory.js"
import type { StageObservation } from "./internal/adaptivePolling/stageObservation.js"
import { resumed, seen, submitted } from "./internal/adaptivePolling/stageObservation.js"
import { placesFirstPoll, PollContext } from "./internal/durationRecorder.js"

const continueAfter = (now: number, millis: number) =>
  ScheduleDecision.continueWith(ScheduleInterval.after(now + millis))

/**
 * Waits the same interval before every poll.
 *
 * @since 0.1.0
 * @category schedules
 */
export const fixed = (interval: Duration.DurationInput): Schedule.Schedule<unknown, GenerationStatus> => {
  const millis = Duration.toMillis(interval)
  // `Schedule.spaced` takes five times as many steps.
  return Schedule.makeWithState(undefined, (now) => Effect.succeed([undefined, undefined, continueAfter(now, millis)]))
}

/**
 * @since 0.1.0
 * @category options
 */
export interface ExponentialOptions {
  /** The first interval. Default: 500 milliseconds. */
  readonly initial?: Duration.DurationInput | undefined
  /** The factor by which each interval grows. Default: 1.25. */
  readonly factor?: number | undefined
  /** The longest interval. Default: 3 seconds. */
  readonly max?: Duration.DurationInput | undefined
}

/**
 * Starts with a short interval and multiplies it by `factor` after each poll, up to `max`.
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
   * The cost of one second of lag, in polls: how many polls you would spend to see a result one second earlier.
   * Quadrupling it halves the lag and doubles the polls. Default: 20.
   */
  readonly lagCost?: number | undefined
  /** The shortest interval. Default: 100 milliseconds. */
  readonly min?: Duration.DurationInput | undefined
  /** The longest interval, whatever the schedule has learned. Default: 8 seconds. */
  readonly max?: Duration.DurationInput | undefined
}

// Noticing late that the queue has ended delays no image. It only blurs the start of the next stage.
const queueLagShare = 0.25

/**
 * Polls often when a generation is likely to end and rarely otherwise, based on how long earlier generations took. This
 * is the default schedule. `docs/adaptive-polling.md` explains how it works.
 *
 * The schedule keeps durations per API URL, model and number of images, and separates the queue from the generation
 * itself. It learns from every stage of a submitted generation that ends regularly, whichever schedule polls it. A
 * generation that is resumed by its record id started at an unknown time: the schedule learns nothing from it.
 *
 * The first poll of a new generation waits for a pause too. With other schedules, and with one that is made from this
 * one by a combinator, it follows the submission at once.
 *
 * The history lasts as long as the process, across layers and runtimes, and longer in a file: see `DurationStore`. In
 * memory, it belongs to one `Clock`, so tests that each have their own `TestClock` do not affect each other. Use
 * `layerHistory` to separate histories further.
 *
 * @example
 * ```ts
 * import { Arta, Polling } from "effect-arta"
 *
 * // Spend up to five polls to see the images one second earlier.
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
  // An invalid cost yields NaN, which falls back to `max`.
  const clamp = (millis: number) => (millis < max ? Math.max(min, Math.ceil(millis)) : max)

  const schedule = Schedule.makeWithState<StageObservation | undefined, GenerationStatus, Duration.Duration>(
    undefined,
    (now, { _tag }, previous) =>
      Effect.withFiberRuntime(({ currentContext, currentDefaultServices }) => {
        const { model, submittedAt } = Context.get(currentContext, PollContext)
        const instant = unsafeMonotonicMillis(Context.get(currentDefaultServices, Clock.Clock)) / 1_000
        const stage = _tag === "Queued" ? "Queued" : "InProgress"
        const start = previous ?? (submittedAt === undefined ? resumed(stage, instant) : submitted(submittedAt))
        const observation = seen(start, stage, instant)
        const age = instant - observation.since
        // Before the first poll, the generation may be in any stage.
        const isQueued = stage === "Queued" && previous !== undefined
        const due = nextPoll(model(stage), age, isQueued ? lagCost * queueLagShare : lagCost)
        const millis = clamp((due - age) * 1_000)
        return Effect.succeed([observation, Duration.millis(millis), continueAfter(now, millis)])
      })
  )
  placesFirstPoll.add(schedule)
  return schedule
}

/**
 * Gives the programs that use this layer a separate duration history, which ends with the process. The same as
 * `DurationStore.layerMemory`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerHistory: Layer.Layer<never> = /* @__PURE__ */ Layer.sync(DurationHistory, makeDurationHistory)
