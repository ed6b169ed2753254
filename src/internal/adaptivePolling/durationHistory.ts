import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Record from "effect/Record"
import type { GenerationStatus } from "../../Generation.js"
import { monotonicSeconds } from "../clock.js"
import type { Forecast } from "./hazardModel.js"
import { observe, unseen, unseenUnderWay } from "./hazardModel.js"
import type { Sojourn, Stage } from "./stageObservation.js"
import { ending, seen, submitted } from "./stageObservation.js"

/** What decides how long a generation takes. */
export interface Kind {
  readonly model: string
  readonly n: number
}

// A queue is often short, and a look at it costs little.
const medians = { Queued: 2, InProgress: 8 }
const unseenStage = Record.map(medians, unseen)
const stageUnderWay = Record.map(medians, unseenUnderWay)

type Forecasts = Map<string, Forecast>

/** How long generations of a kind took. */
export class History extends Context.Reference<History>()("effect-arta/internal/History", {
  defaultValue: () => makeHistory()
}) {}

// A time that was measured on one clock means nothing on another.
export const makeHistory = (): ((clock: Clock.Clock) => Forecasts) => {
  const byClock = new WeakMap<Clock.Clock, Forecasts>()

  return (clock) => {
    const known = byClock.get(clock) ?? new Map<string, Forecast>()
    byClock.set(clock, known)
    return known
  }
}

/** What a polling schedule cannot tell from the statuses that it is fed. */
export class Polled extends Context.Reference<Polled>()("effect-arta/internal/Polled", {
  defaultValue: () => unknown.polled
}) {}

interface PolledGeneration {
  /** Seconds on the monotonic clock; undefined for a generation that was picked up. */
  readonly submittedAt: number | undefined
  readonly forecast: (sojourn: Sojourn) => Forecast
}

/** A generation as its polls are fed to the history. */
export interface Observed {
  readonly polled: PolledGeneration
  /** Takes in what a poll has told just now. */
  readonly report: (status: GenerationStatus) => Effect.Effect<void>
}

/** A submission that was accepted just now. */
export const observed = ({ model, n }: Kind): Effect.Effect<Observed> =>
  Effect.gen(function* () {
    const history = yield* History
    const forecasts = history(yield* Effect.clock)
    const submittedAt = yield* monotonicSeconds
    let sojourn = submitted(submittedAt)

    const keyOf = (stage: Stage) => `${stage}/${String(n)}/${model}`
    const forecast = (stage: Stage) => forecasts.get(keyOf(stage)) ?? unseenStage[stage]

    return {
      polled: { submittedAt, forecast: ({ isWhole, stage }) => (isWhole ? forecast(stage) : stageUnderWay[stage]) },
      report: ({ _tag }) =>
        Effect.map(monotonicSeconds, (instant) => {
          const end = ending(sojourn, _tag, instant)
          if (end !== undefined) forecasts.set(keyOf(sojourn.stage), observe(forecast(sojourn.stage), end))
          if (_tag === "Queued" || _tag === "InProgress") sojourn = seen(sojourn, _tag, instant)
        })
    }
  })

/** A generation of which nothing is known but its id: there is nothing to expect of it, and nothing to learn from it. */
export const unknown: Observed = {
  polled: {
    submittedAt: undefined,
    forecast: ({ isWhole, stage }) => (isWhole ? unseenStage : stageUnderWay)[stage]
  },
  report: () => Effect.void
}
