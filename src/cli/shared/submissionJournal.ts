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
export interface Recorder {
  /** Before a request leaves. */
  readonly begin: (request: GenerateRequest.GenerateRequest) => Effect.Effect<void, PlatformError>
  readonly accepted: (recordId: Generation.RecordId) => Effect.Effect<void, PlatformError>
  /** Nothing was accepted: sending it again is safe. */
  readonly refused: Effect.Effect<void, PlatformError>
}

/** Records nothing. */
export const forgetful: Recorder = { begin: () => Effect.void, accepted: () => Effect.void, refused: Effect.void }

/** Writes each submission of one drawing to a journal. */
export const journalRecorder = (journal: Journal, key: string): Recorder => ({
  begin: (request) => journal.begin(key, request),
  accepted: (recordId) => journal.note({ _tag: "Submitted", key, recordId }),
  refused: journal.note({ _tag: "NotAccepted", key })
})

class CurrentRecorder extends Context.Reference<CurrentRecorder>()("effect-arta/cli/CurrentRecorder", {
  defaultValue: () => forgetful
}) {}

// A terminal may be in the middle of a line that is drawn over and over.
const sayWaiting = Console.error(
  `${process.stderr.isTTY ? "\n" : ""}Waiting up to 10 seconds for the answer to what was just submitted.`
)

/** An interruption waits a while for the answer to a submission, because the record id would be lost with it. */
const finishing =
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
export const layerRecorded: Layer.Layer<ArtaApi.ArtaApi, never, ArtaApi.ArtaApi | Auth.Auth> = Layer.effect(
  ArtaApi.ArtaApi,
  Effect.gen(function* () {
    const api = yield* ArtaApi.ArtaApi
    const auth = yield* Auth.Auth
    const finished = finishing(yield* Effect.once(sayWaiting))
    const submit = Effect.fnUntraced(function* (request: GenerateRequest.GenerateRequest) {
      const { accepted, begin, refused } = yield* CurrentRecorder
      yield* Effect.orDie(begin(request))
      return yield* api.submit(request).pipe(
        Effect.tap((recordId) => Effect.orDie(accepted(recordId))),
        Effect.tapError((error) => (error._tag === "SubmissionUnknownError" ? Effect.void : Effect.orDie(refused)))
      )
    })
    const unsent = Effect.fnUntraced(function* (request: GenerateRequest.GenerateRequest) {
      const { begin, refused } = yield* CurrentRecorder
      yield* Effect.orDie(Effect.zipRight(begin(request), refused))
    })
    return {
      ...api,
      // Nothing is submitted without a token, so whatever happens before there is one leaves no doubt.
      submit: (request) =>
        Effect.zipRight(
          Effect.onError(auth.token, () => unsent(request)),
          finished(submit(request))
        )
    }
  })
)

/** What is known of a submission: its id where it was accepted, the request where that is in doubt. */
type Standing = Pick<ArtaError.GenerationTimeoutError, "recordId" | "request">

/**
 * Lets a recorder know of every submission before anything else happens with it. Where it fails, nothing is sent. Where an
 * answer comes while the end of the time waits for it, the failure tells what it said.
 */
export const recordedBy =
  ({ accepted, begin, refused }: Recorder) =>
  <A, E extends Failure, R>(
    effect: Effect.Effect<A, E, R>
  ): Effect.Effect<A, E | PlatformError | ArtaError.GenerationTimeoutError, R> =>
    Effect.suspend(() => {
      let standing: Standing = {}
      const stands = (now: Standing) =>
        Effect.sync(() => {
          standing = now
        })
      const recorder: Recorder = {
        begin: (request) => Effect.zipRight(begin(request), stands({ request })),
        accepted: (recordId) => Effect.zipRight(stands({ recordId }), accepted(recordId)),
        refused: Effect.zipRight(stands({}), refused)
      }
      return Effect.provideService(effect, CurrentRecorder, recorder).pipe(
        Effect.mapError((error) =>
          error._tag === "GenerationTimeoutError" && error.recordId === undefined
            ? new ArtaError.GenerationTimeoutError({ elapsed: error.elapsed, ...standing })
            : error
        )
      )
    }).pipe(
      // The interface of the service has no room for a failure of the recorder.
      Effect.catchSomeDefect((defect) => (isPlatformError(defect) ? Option.some(Effect.fail(defect)) : Option.none()))
    )
