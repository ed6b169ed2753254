import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import { weaklyKeyed } from "../weaklyKeyed.js"
import type { HazardModel } from "./hazardModel.js"

/** What determines how long a generation takes. */
export interface Kind {
  readonly model: string
  readonly n: number
}

/** What was learned about each stage of each kind of generation. */
type LearnedModels = Map<string, HazardModel>

/** How long generations took, for each clock that they were measured on. */
export class DurationHistory extends Context.Reference<DurationHistory>()("effect-arta/internal/DurationHistory", {
  defaultValue: () => makeDurationHistory()
}) {}

// A time that was measured on one clock means nothing on another.
export const makeDurationHistory = (): ((clock: Clock.Clock) => LearnedModels) => weaklyKeyed(() => new Map())
