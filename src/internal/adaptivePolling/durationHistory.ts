import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Record from "effect/Record"
import type { Ending, HazardModel } from "./hazardModel.js"
import { learnEnding, priorModel, priorUnderWay } from "./hazardModel.js"
import type { Stage } from "./stageObservation.js"

/** What determines how long a generation takes. */
export interface Kind {
  readonly model: string
  readonly n: number
}

// Seconds. Queues are often short, and a poll costs little.
const medians = { Queued: 2, InProgress: 8 }

/** What to expect of a stage before anything is learned. */
export const expected = {
  fromStart: Record.map(medians, priorModel),
  underWay: Record.map(medians, priorUnderWay)
}

/** What was learned about each stage of each kind of generation. */
interface LearnedModels {
  readonly model: (kind: Kind, stage: Stage) => HazardModel
  readonly learn: (kind: Kind, stage: Stage, ending: Ending) => Effect.Effect<void>
}

/** How long generations took, for each clock that they were measured on. */
export class DurationHistory extends Context.Reference<DurationHistory>()("effect-arta/internal/DurationHistory", {
  defaultValue: () => makeDurationHistory()
}) {}

const makeLearnedModels = (): LearnedModels => {
  const models = new Map<string, HazardModel>()
  const keyOf = ({ model, n }: Kind, stage: Stage) => `${stage}/${String(n)}/${model}`
  const model = (kind: Kind, stage: Stage) => models.get(keyOf(kind, stage)) ?? expected.fromStart[stage]

  return {
    model,
    learn: (kind, stage, ending) =>
      Effect.sync(() => {
        models.set(keyOf(kind, stage), learnEnding(model(kind, stage), ending))
      })
  }
}

// A time that was measured on one clock means nothing on another.
export const makeDurationHistory = (): ((clock: Clock.Clock) => LearnedModels) => {
  const byClock = new WeakMap<Clock.Clock, LearnedModels>()

  return (clock) => {
    const models = byClock.get(clock) ?? makeLearnedModels()
    byClock.set(clock, models)
    return models
  }
}
