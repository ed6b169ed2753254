import type { PlatformError } from "@effect/platform/Error"
import { isPlatformError } from "@effect/platform/Error"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { GenerateRequest, Generation } from "effect-arta"
import { ArtaApi, ArtaError, Auth } from "effect-arta"
import type { Failure } from "./errors.js"
import type { Journal } from "./journal.js"

/** Observes every submission. */
export interface SubmissionJournal {
  /** Before a request leaves. */
  readonly begin: (request: GenerateRequest.GenerateRequest) => Effect.Effect<void, PlatformError>
  readonly accepted: (recordId: Generation.RecordId) => Effect.Effect<void, PlatformError>
  /** Nothing was accepted: sending it again is safe. */
  readonly refused: Effect.Effect<void, PlatformError>
}

/** Records nothing. */
export const noop: SubmissionJournal = { begin: () => Effect.void, accepted: () => Effect.void, refused: Effect.void }

/** Records the submissions for one key in a journal. */
export const fromJournal = (journal: Journal, key: string): SubmissionJournal => ({
  begin: (request) => journal.begin(key, request),
  accepted: (recordId) => journal.note({ _tag: "Submitted", key, recordId }),
  refused: journal.note({ _tag: "NotAccepted", key })
})

class CurrentJournal extends Context.Reference<CurrentJournal>()("effect-arta/cli/CurrentJournal", {
  defaultValue: () => noop
}) {}

// On a terminal, the cursor may be in the live progress line.
const printWaiting = Console.error(
  `${process.stderr.isTTY ? "\n" : ""}Waiting up to 10 seconds for the response to the last submission.`
)

/** Delays an interruption until the response to a submission arrives: otherwise the record id would be lost. */
const awaitResponse =
  (announce: Effect.Effect<void>) =>
  <A, E, R>(submission: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(Effect.forkDaemon(restore(submission)), (fiber) =>
        restore(Fiber.join(fiber)).pipe(
          Effect.onInterrupt(() =>
            Fiber.await(fiber).pipe(
              Effect.raceFirst(Effect.zipRight(Effect.delay(announce, "1 second"), Effect.never)),
              // Finalizers are not interruptible, and then the time limit would wait as well.
              Effect.interruptible,
              Effect.timeout("10 seconds"),
              Effect.ignore,
              Effect.zipRight(Fiber.interrupt(fiber))
            )
          )
        )
      )
    )

/** An `ArtaApi` that reports each submission to the journal of its caller. */
export const layer: Layer.Layer<ArtaApi.ArtaApi, never, ArtaApi.ArtaApi | Auth.Auth> = Layer.effect(
  ArtaApi.ArtaApi,
  Effect.gen(function* () {
    const api = yield* ArtaApi.ArtaApi
    const auth = yield* Auth.Auth
    const awaited = awaitResponse(yield* Effect.once(printWaiting))
    const submit = Effect.fnUntraced(function* (request: GenerateRequest.GenerateRequest) {
      const { accepted, begin, refused } = yield* CurrentJournal
      yield* Effect.orDie(begin(request))
      return yield* api.submit(request).pipe(
        Effect.tap((recordId) => Effect.orDie(accepted(recordId))),
        Effect.tapError((error) => (error._tag === "SubmissionUnknownError" ? Effect.void : Effect.orDie(refused)))
      )
    })
    const unsent = Effect.fnUntraced(function* (request: GenerateRequest.GenerateRequest) {
      const { begin, refused } = yield* CurrentJournal
      yield* Effect.orDie(Effect.zipRight(begin(request), refused))
    })
    return {
      ...api,
      // Nothing is submitted without a token, so whatever happens before there is one leaves no doubt.
      submit: (request) =>
        Effect.zipRight(
          Effect.onError(auth.token, () => unsent(request)),
          awaited(submit(request))
        )
    }
  })
)

/** What is known of a submission: its id where it was accepted, the request where that is in doubt. */
type LastKnown = Pick<ArtaError.GenerationTimeoutError, "recordId" | "request">

/**
 * Lets a submissions know of every submission before anything else happens with it. Where it fails, nothing is sent. Where an
 * response comes while the end of the time waits for it, the failure tells what it said.
 */
export const withJournal =
  ({ accepted, begin, refused }: SubmissionJournal) =>
  <A, E extends Failure, R>(
    effect: Effect.Effect<A, E, R>
  ): Effect.Effect<A, E | PlatformError | ArtaError.GenerationTimeoutError, R> =>
    Effect.suspend(() => {
      let lastKnown: LastKnown = {}
      const learn = (now: LastKnown) =>
        Effect.sync(() => {
          lastKnown = now
        })
      const submissions: SubmissionJournal = {
        begin: (request) => Effect.zipRight(begin(request), learn({ request })),
        accepted: (recordId) => Effect.zipRight(learn({ recordId }), accepted(recordId)),
        refused: Effect.zipRight(learn({}), refused)
      }
      return Effect.provideService(effect, CurrentJournal, submissions).pipe(
        Effect.mapError((error) =>
          error._tag === "GenerationTimeoutError" && error.recordId === undefined
            ? new ArtaError.GenerationTimeoutError({ elapsed: error.elapsed, ...lastKnown })
            : error
        )
      )
    }).pipe(
      // The interface of the service has no room for a failure of the submissions.
      Effect.catchSomeDefect((defect) => (isPlatformError(defect) ? Option.some(Effect.fail(defect)) : Option.none()))
    )
