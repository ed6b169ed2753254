import { describe, expect, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Queue, Ref, Schedule, Schema } from "effect"
import { Arta, ArtaApi, ArtaError, Generation, Polling } from "effect-arta"
import { runToEnd } from "../support/withEmulator.js"

type Limiter = NonNullable<ArtaApi.Service["limitSubmissions"]>
type Submission = Effect.Effect<string, ArtaApi.SubmitError>

const accepted = Schema.decodeSync(Generation.RecordId)

/** Runs a generation with a limiter of the program's own. Each submission takes the next effect. */
const runWith = (limitSubmissions: Limiter, submissions: ReadonlyArray<Submission>, polls: number) =>
  Effect.gen(function* () {
    const left = yield* Ref.make(submissions)
    const pending = yield* Ref.make(polls)
    const next = Ref.modify(left, ([first = Effect.never, ...rest]) => [first, rest])
    const image = { index: 0, url: "https://p.example/1.png" }
    const api = ArtaApi.ArtaApi.of({
      submit: () => Effect.map(Effect.flatten(next), accepted),
      status: () =>
        Effect.map(
          Ref.getAndUpdate(pending, (n) => n - 1),
          (n): Generation.GenerationStatus => (n > 0 ? { _tag: "Queued" } : { _tag: "Done", images: [image] })
        ),
      limitSubmissions
    })
    return yield* Arta.run({ prompt: "a fox" }, { timeout: "10 seconds", polling: Polling.fixed("1 second") }).pipe(
      Effect.provideService(ArtaApi.ArtaApi, api)
    )
  })

const refused = new ArtaError.RateLimitedError({ operation: "submit", retryAfter: Duration.minutes(1) })

describe("A limiter of the program's own", () => {
  it.effect.each([
    ["a refused one", Effect.fail(refused)],
    ["one that was not sent", new ArtaError.TransportError({ operation: "submit", sent: false, reason: "offline" })]
  ] satisfies ReadonlyArray<[string, Submission]>)("may submit again after %s", ([, failure]) =>
    Effect.gen(function* () {
      const again: Limiter = (submission) =>
        Effect.retry(
          submission,
          Schedule.addDelay(Schedule.recurs(1), () => "6 seconds")
        )
      const generation = yield* runToEnd(runWith(again, [failure, Effect.succeed("accepted")], 8))
      expect(generation.recordId).toBe("accepted")
      const error = yield* runToEnd(Effect.flip(runWith(again, [failure, Effect.succeed("accepted")], Infinity)))
      expect(error).toMatchObject({ _tag: "GenerationTimeoutError", recordId: "accepted" })
    })
  )

  it.scoped("may submit in a fiber of its own, which outlives a timeout", () =>
    Effect.gen(function* () {
      const queue = yield* Queue.unbounded<Effect.Effect<void>>()
      yield* Effect.forkScoped(Effect.forever(Effect.flatten(Queue.take(queue))))
      const queued: Limiter = <A, E, R>(submission: Effect.Effect<A, E, R>) =>
        Effect.gen(function* () {
          const result = yield* Deferred.make<A, E>()
          const context = yield* Effect.context<R>()
          yield* Queue.offer(queue, Effect.asVoid(Effect.intoDeferred(Effect.provide(submission, context), result)))
          return yield* Deferred.await(result)
        })
      const error = yield* runToEnd(Effect.flip(runWith(queued, [], 0)))
      expect(error._tag).toBe("GenerationTimeoutError")
      const generation = yield* runToEnd(runWith(queued, [Effect.succeed("second")], 0))
      expect(generation.recordId).toBe("second")
    })
  )

  it.effect("may be uninterruptible: a submission that outlasts the timeout keeps its record id", () =>
    Effect.gen(function* () {
      const late = Effect.delay(Effect.succeed("late"), "20 seconds")
      const error = yield* runToEnd(Effect.flip(runWith(Effect.uninterruptible, [late], 0)))
      expect(error).toMatchObject({ _tag: "GenerationTimeoutError", recordId: "late" })
    })
  )

  it.effect("sees why the submission failed, while it takes its time to release", () =>
    Effect.gen(function* () {
      const slow: Limiter = (submission) => Effect.ensuring(submission, Effect.sleep("20 seconds"))
      const failure = new ArtaError.ResponseError({ operation: "submit", status: 400, detail: "no" })
      expect(yield* runToEnd(Effect.flip(runWith(slow, [failure], 0)))).toMatchObject({ _tag: "ResponseError" })
    })
  )
})
