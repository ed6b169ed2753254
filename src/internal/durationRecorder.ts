import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import type { GenerationStatus } from "../Generation.js"
import type { Kind } from "./adaptivePolling/durationHistory.js"
import { DurationHistory, expected } from "./adaptivePolling/durationHistory.js"
import type { HazardModel } from "./adaptivePolling/hazardModel.js"
import type { StageObservation } from "./adaptivePolling/stageObservation.js"
import { ending, seen, submitted } from "./adaptivePolling/stageObservation.js"
import { monotonicSeconds } from "./clock.js"

/** What a polling schedule needs to know of a generation beyond its statuses. */
export class PollContext extends Context.Reference<PollContext>()("effect-arta/internal/PollContext", {
  defaultValue: () => noRecorder.pollContext
}) {}

interface PolledGeneration {
  /** Seconds on the monotonic clock. Undefined for a generation that is watched by its id. */
  readonly submittedAt: number | undefined
  readonly hazardModel: (observation: StageObservation) => HazardModel
}

/** Records how long the stages of a generation take. */
export interface DurationRecorder {
  readonly pollContext: PolledGeneration
  /** Takes the status that a poll returned just now. */
  readonly report: (status: GenerationStatus) => Effect.Effect<void>
}

/** Starts to record a generation that was accepted just now. */
export const recordDurations = (kind: Kind): Effect.Effect<DurationRecorder> =>
  Effect.gen(function* () {
    const history = (yield* DurationHistory)(yield* Effect.clock)
    const submittedAt = yield* monotonicSeconds
    // Undefined once the generation has ended: another watch of it must not learn its duration again.
    const observation = yield* Ref.make<StageObservation | undefined>(submitted(submittedAt))

    return {
      pollContext: {
        submittedAt,
        hazardModel: ({ isWhole, stage }) => (isWhole ? history.model(kind, stage) : expected.underWay[stage])
      },
      report: ({ _tag }) =>
        Effect.gen(function* () {
          const instant = yield* monotonicSeconds
          const before = yield* observation
          if (before === undefined) return
          const end = ending(before, _tag, instant)
          if (end !== undefined) yield* history.learn(kind, before.stage, end)
          const isPending = _tag === "Queued" || _tag === "InProgress"
          yield* Ref.set(observation, isPending ? seen(before, _tag, instant) : undefined)
        })
    }
  })

/** For a resumed generation: uses the priors and records nothing. */
export const noRecorder: DurationRecorder = {
  pollContext: {
    submittedAt: undefined,
    hazardModel: ({ isWhole, stage }) => (isWhole ? expected.fromStart : expected.underWay)[stage]
  },
  report: () => Effect.void
}
