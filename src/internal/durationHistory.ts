import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { Ending, HazardModel } from "./adaptivePolling/hazardModel.js"
import { learnEnding, priorModel } from "./adaptivePolling/hazardModel.js"
import { weaklyKeyed } from "./weaklyKeyed.js"

export type { Ending, HazardModel } from "./adaptivePolling/hazardModel.js"
export { bucketCount, restoredModel } from "./adaptivePolling/hazardModel.js"

/** What was learned about each stage of each kind of generation. */
export interface History {
  readonly model: (key: string) => HazardModel
  readonly learn: (key: string, ending: Ending) => void
  /** Called after each generation. Does not wait for a disk. */
  readonly save: Effect.Effect<void>
}

/** How long generations took, for each clock that they were measured on. */
export class DurationHistory extends Context.Reference<DurationHistory>()("effect-arta/internal/DurationHistory", {
  defaultValue: () => makeDurationHistory()
}) {}

/** Keeps models in a map. The keys that learned last are at its end. */
export const historyIn = (models: Map<string, HazardModel>): History => {
  const model = (key: string) => models.get(key) ?? priorModel
  return {
    model,
    learn: (key, ending) => {
      const learned = learnEnding(model(key), ending)
      models.delete(key)
      models.set(key, learned)
    },
    save: Effect.void
  }
}

// A time that was measured on one clock means nothing on another.
export const makeDurationHistory = (): ((clock: Clock.Clock) => History) => weaklyKeyed(() => historyIn(new Map()))
