import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Schedule from "effect/Schedule"
import type * as Tracer from "effect/Tracer"
import type { ArtaApi } from "../../ArtaApi.js"
import type { RunError } from "../../ArtaError.js"
import type { Options } from "../../GenerateRequest.js"
import type { Completed, GenerationStatus } from "../../Generation.js"
import { Submitted } from "../../Generation.js"
import { countOutcomeOf } from "../metrics.js"
import type { OnEvent, PollLoop } from "./pollLoop.js"
import { makePollLoop, outcome, skipValidation } from "./pollLoop.js"
import type { Started, StartOptions } from "./startGeneration.js"
import { startGeneration } from "./startGeneration.js"
import { clientSpan, endSpan, inSpan } from "./telemetry.js"

export interface RunOptions extends StartOptions {
  readonly polling: Schedule.Schedule<unknown, GenerationStatus>
}

export const submitted = ({ recordId, request }: Started): Submitted =>
  new Submitted({ recordId, request }, skipValidation)

/** Prepares to poll a generation that was accepted just now. */
export const pollStarted = (
  { deadline, recordId }: Started,
  { polling }: RunOptions,
  span?: Tracer.Span
): Effect.Effect<PollLoop<never>, never, ArtaApi> => makePollLoop(recordId, { polling, deadline, isNew: true, span })

const submitAndPoll = (options: Options, settings: RunOptions, span: Tracer.Span, onEvent?: OnEvent) =>
  Effect.flatMap(startGeneration(options, settings, span), (started) =>
    Effect.flatMap(pollStarted(started, settings, span), (loop) =>
      onEvent === undefined ? outcome(loop) : Effect.zipRight(onEvent(submitted(started)), outcome(loop, onEvent))
    )
  )

/**
 * Runs a generation. Thousands may wait for their turn, and then for their images: a waiting fiber has one finalizer,
 * and the span is in its context only while it is needed.
 */
export const runGeneration = (options: Options, settings: RunOptions): Effect.Effect<Completed, RunError, ArtaApi> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(Effect.makeSpan("Arta.run", clientSpan), (span) => {
      const end = (exit: Exit.Exit<Completed, RunError>) => {
        // Only a failure is noted in the span.
        const counted = Exit.isSuccess(exit) ? countOutcomeOf(exit) : inSpan(countOutcomeOf(exit), span)
        return counted.pipe(Effect.zipRight(endSpan(span, exit)), Effect.zipRight(exit))
      }
      return Effect.matchCauseEffect(restore(Effect.suspend(() => submitAndPoll(options, settings, span))), {
        onFailure: (cause) => end(Exit.failCause(cause)),
        onSuccess: (completed) => end(Exit.succeed(completed))
      })
    })
  )

/**
 * Runs a generation and reports its events, in the fiber of the caller. Counts the outcome before it is reported: a
 * defect of `onEvent` is not an outcome of the generation. The span ends after the last event: its tracer may fail then.
 */
export const runAndReport = (
  options: Options,
  settings: RunOptions,
  onEvent: OnEvent
): Effect.Effect<Completed, RunError, ArtaApi> =>
  Effect.useSpan("Arta.run", clientSpan, (span) => {
    const report: OnEvent = (event) => inSpan(onEvent(event), span)
    return submitAndPoll(options, settings, span, report).pipe(
      Effect.onExit((exit) => inSpan(countOutcomeOf(exit), span)),
      Effect.tap(report)
    )
  })
