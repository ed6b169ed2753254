import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Schedule from "effect/Schedule"
import * as Tracer from "effect/Tracer"
import type { ArtaApi } from "../../ArtaApi.js"
import type { ArtaError, RunError } from "../../ArtaError.js"
import type { Options } from "../../GenerateRequest.js"
import type { Completed, GenerationStatus } from "../../Generation.js"
import { Submitted } from "../../Generation.js"
import { addToContext } from "../fiberContext.js"
import { countOutcomeOf } from "../metrics.js"
import { withTimer } from "../timeLimit.js"
import type { GenerationTimer } from "./deadline.js"
import type { OnEvent, PollLoop } from "./pollLoop.js"
import { makePollLoop, outcome, skipValidation } from "./pollLoop.js"
import type { Started, StartOptions } from "./startGeneration.js"
import { startGeneration } from "./startGeneration.js"
import { clientSpan } from "./telemetry.js"

export interface RunOptions extends StartOptions {
  readonly polling: Schedule.Schedule<unknown, GenerationStatus>
}

export const submitted = ({ recordId, request }: Started): Submitted =>
  new Submitted({ recordId, request }, skipValidation)

/** Prepares to poll a generation that was accepted just now. */
export const pollStarted = (
  { deadline, recordId }: Started,
  { polling }: RunOptions
): Effect.Effect<PollLoop<never>, never, ArtaApi> => makePollLoop(recordId, { polling, deadline, isNew: true })

/** Runs a generation in a fiber of its own, which also polls it: the time limit of the polls takes no other. */
export const runGeneration = (options: Options, settings: RunOptions): Effect.Effect<Completed, RunError, ArtaApi> =>
  Effect.useSpan("Arta.run", clientSpan, (span) =>
    withTimer(
      (timer: GenerationTimer) =>
        addToContext(Tracer.ParentSpan, span).pipe(
          Effect.flatMap(() => startGeneration(options, settings)),
          Effect.flatMap(({ deadline, ...started }) =>
            pollStarted({ ...started, deadline: { ...deadline, timer } }, settings)
          ),
          Effect.flatMap((loop) => outcome(loop))
        ),
      // Only a failure is noted in the span.
      (exit) => (Exit.isSuccess(exit) ? countOutcomeOf(exit) : Effect.withParentSpan(countOutcomeOf(exit), span))
    )
  )

/**
 * Counts the outcome before it is reported: a defect of `onEvent` is not an outcome of the generation. `onEvent` runs in
 * the fiber of its caller.
 */
export const reported = <E extends ArtaError, R>(
  completed: Effect.Effect<Completed, E, R>,
  onEvent: OnEvent = () => Effect.void
): Effect.Effect<Completed, E, R> => Effect.tap(Effect.onExit(completed, countOutcomeOf), onEvent)

/** Runs a generation and reports its events. */
export const runAndReport = (
  options: Options,
  settings: RunOptions,
  onEvent: OnEvent
): Effect.Effect<Completed, RunError, ArtaApi> =>
  Effect.gen(function* () {
    const started = yield* startGeneration(options, settings)
    const loop = yield* pollStarted(started, settings)
    yield* onEvent(submitted(started))
    return yield* outcome(loop, onEvent)
  }).pipe((completed) => reported(completed, onEvent), Effect.withSpan("Arta.run", clientSpan))
