import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Record from "effect/Record"
import type { GenerationStatus } from "../../Generation.js"
import { monotonicSeconds } from "../clock.js"
import type { HazardModel } from "./hazardModel.js"
import { observe, priorModel, priorUnderWay } from "./hazardModel.js"
import type { StageObservation, Stage } from "./stageObservation.js"
import { ending, seen, submitted } from "./stageObservation.js"

/** What decides how long a generation takes. */
export interface Kind {
  readonly model: string
  readonly n: number
}

// A queue is often short, and a look at it costs little.
const medians = { Queued: 2, InProgress: 8 }
const priorStage = Record.map(medians, priorModel)
const stageUnderWay = Record.map(medians, priorUnderWay)

type HazardModels = Map<string, HazardModel>

/** How long generations of a kind took. */
export class DurationHistory extends Context.Reference<DurationHistory>()("effect-arta/internal/DurationHistory", {
  defaultValue: () => makeDurationHistory()
}) {}

// A time that was measured on one clock means nothing on another.
export const makeDurationHistory = (): ((clock: Clock.Clock) => HazardModels) => {
  const byClock = new WeakMap<Clock.Clock, HazardModels>()

  return (clock) => {
    const known = byClock.get(clock) ?? new Map<string, HazardModel>()
    byClock.set(clock, known)
    return known
  }
}

/** What a polling schedule cannot tell from the statuses that it is fed. */
export class PollContext extends Context.Reference<PollContext>()("effect-arta/internal/PollContext", {
  defaultValue: () => noRecorder.pollContext
}) {}

interface PolledGeneration {
  /** Seconds on the monotonic clock; undefined for a generation that was picked up. */
  readonly submittedAt: number | undefined
  readonly hazardModel: (observation: StageObservation) => HazardModel
}

/** A generation as its polls are fed to the history. */
export interface DurationRecorder {
  readonly pollContext: PolledGeneration
  /** Takes in what a poll has told just now. */
  readonly report: (status: GenerationStatus) => Effect.Effect<void>
}

/** A submission that was accepted just now. */
export const recordDurations = ({ model, n }: Kind): Effect.Effect<DurationRecorder> =>
  Effect.gen(function* () {
    const history = yield* DurationHistory
    const hazardModels = history(yield* Effect.clock)
    const submittedAt = yield* monotonicSeconds
    let observation = submitted(submittedAt)

    const keyOf = (stage: Stage) => `${stage}/${String(n)}/${model}`
    const hazardModel = (stage: Stage) => hazardModels.get(keyOf(stage)) ?? priorStage[stage]

    return {
      pollContext: {
        submittedAt,
        hazardModel: ({ isWhole, stage }) => (isWhole ? hazardModel(stage) : stageUnderWay[stage])
      },
      report: ({ _tag }) =>
        Effect.map(monotonicSeconds, (instant) => {
          const end = ending(observation, _tag, instant)
          if (end !== undefined)
            hazardModels.set(keyOf(observation.stage), observe(hazardModel(observation.stage), end))
          if (_tag === "Queued" || _tag === "InProgress") observation = seen(observation, _tag, instant)
        })
    }
  })

/** A generation of which nothing is known but its id: there is nothing to expect of it, and nothing to learn from it. */
export const noRecorder: DurationRecorder = {
  pollContext: {
    submittedAt: undefined,
    hazardModel: ({ isWhole, stage }) => (isWhole ? priorStage : stageUnderWay)[stage]
  },
  report: () => Effect.void
}
