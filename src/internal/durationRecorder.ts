import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { GenerateRequest } from "../GenerateRequest.js"
import type { GenerationStatus } from "../Generation.js"
import type { HazardModel } from "./adaptivePolling/hazardModel.js"
import { priorModel } from "./adaptivePolling/hazardModel.js"
import type { Stage, StageObservation } from "./adaptivePolling/stageObservation.js"
import { ending, seen, submitted } from "./adaptivePolling/stageObservation.js"
import { unsafeMonotonicMillis } from "./clock.js"
import { DurationHistory } from "./durationHistory.js"

/** What a polling schedule needs to know of a generation beyond its statuses. */
export class PollContext extends Context.Reference<PollContext>()("effect-arta/internal/PollContext", {
  defaultValue: () => noRecorder.pollContext
}) {}

/** The schedules that also decide when to poll a new generation first. Any other one starts with that poll. */
export const placesFirstPoll = new WeakSet<object>()

interface PolledGeneration {
  /** Seconds on the monotonic clock. Undefined for a generation that is watched by its id. */
  readonly submittedAt: number | undefined
  /** The model of a stage that is polled from its start. */
  readonly model: (stage: Stage) => HazardModel
}

/** Records how long the stages of a generation take. */
export interface DurationRecorder {
  readonly pollContext: PolledGeneration
  /** Takes the status that a poll returned just now, and goes on. */
  readonly report: <A, E, R>(status: GenerationStatus, next: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

/** Starts to record a generation that was accepted just now. */
export const recordDurations = (
  { model, n }: Pick<GenerateRequest, "model" | "n">,
  /** The URL of the service, if it is known. */
  apiUrl = ""
): Effect.Effect<DurationRecorder> =>
  Effect.flatMap(DurationHistory, (histories) =>
    Effect.clockWith((clock) => {
      const history = histories(clock)
      const submittedAt = unsafeMonotonicMillis(clock) / 1_000
      // Undefined once the generation has ended: another watch of it must not learn its duration again.
      let observation: StageObservation | undefined = submitted(submittedAt)

      const keyOf = (stage: Stage) => `${stage} ${String(n)} ${model} ${apiUrl}`

      return Effect.succeed<DurationRecorder>({
        pollContext: { submittedAt, model: (stage) => history.model(keyOf(stage)) },
        report: ({ _tag }, next) =>
          Effect.clockWith((clock) => {
            if (observation === undefined) return next
            const instant = unsafeMonotonicMillis(clock) / 1_000
            const end = ending(observation, _tag, instant)
            if (end !== undefined) history.learn(keyOf(observation.stage), end)
            const isPending = _tag === "Queued" || _tag === "InProgress"
            observation = isPending ? seen(observation, _tag, instant) : undefined
            return isPending ? next : Effect.zipRight(history.save, next)
          })
      })
    })
  )

/** For a resumed generation: uses the prior and records nothing. */
export const noRecorder: DurationRecorder = {
  pollContext: { submittedAt: undefined, model: () => priorModel },
  report: (_status, next) => next
}
