import { expect, it } from "@effect/vitest"
import type { Scope } from "effect"
import { Deferred, Duration, Effect, Either, Fiber, Layer, Option, Ref } from "effect"
import type { ArtaApi } from "effect-arta"
import { ArtaError, Auth, GenerateRequest } from "effect-arta"
import { SubmissionLedger } from "effect-arta/batch"
import { imageService, recordId, request } from "./imageService.js"
import { finish, inTime } from "./passTime.js"

type Open = Effect.Effect<Layer.Layer<SubmissionLedger.SubmissionLedger>, never, Scope.Scope>

const tagOf = (entry: Option.Option<SubmissionLedger.Entry>) =>
  Option.match(entry, { onNone: () => "None", onSome: ({ _tag }) => _tag })

const unknownError = new ArtaError.SubmissionUnknownError({ request })

/** What every ledger does, wherever it keeps its submissions. `open` makes a new, empty one. */
export const ledgerSuite = (open: Open) => {
  const onLedger = <A, E>(
    test: (ledger: SubmissionLedger.Service) => Effect.Effect<A, E, SubmissionLedger.SubmissionLedger | Scope.Scope>
  ) =>
    Effect.flatMap(open, (layer) =>
      Effect.provide(Effect.flatMap(SubmissionLedger.SubmissionLedger, test), layer)
    ).pipe(Effect.scoped)

  it.effect("draws once under a key and returns the outcome again without a request", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        const service = yield* imageService()
        const draw = Effect.provide(SubmissionLedger.draw("key", request), service.layer)
        const generation = yield* inTime(draw)
        expect(generation).toMatchObject({ recordId: "record-1", request, missing: 0 })
        expect(yield* inTime(draw)).toEqual(generation)
        expect([yield* service.posts, yield* service.polls]).toEqual([1, 1])
        expect(tagOf(yield* ledger.find("key"))).toBe("Completed")
      })
    )
  )

  it.effect("submits once for many callers with the same key, and for each key", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        const service = yield* imageService({ onSubmit: () => Effect.sleep("2 seconds") })
        const submit = (key: string) => Effect.provide(ledger.submit(key, request), service.layer)
        const ids = yield* inTime(
          Effect.forEach([...Array<string>(20).fill("a"), "b"], submit, { concurrency: "unbounded" })
        )
        expect(new Set(ids.slice(0, 20).map(({ recordId }) => recordId)).size).toBe(1)
        expect(yield* service.posts).toBe(2)
      })
    )
  )

  it.effect("returns the request that was sent first", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        const service = yield* imageService()
        const submit = (changed: typeof request) => Effect.provide(ledger.submit("key", changed), service.layer)
        yield* submit(request)
        const other = new GenerateRequest.GenerateRequest({ prompt: "a hare", seed: 8 })
        expect((yield* submit(other)).request).toEqual(request)
      })
    )
  )

  // fault: Batch database | The service refuses a submission | the key stays free
  it.effect.each<ArtaApi.SubmitError>([
    new ArtaError.ResponseError({ operation: "submit", status: 400, detail: "no" }),
    new ArtaError.RateLimitedError({ operation: "submit" }),
    new ArtaError.TransportError({ operation: "submit", reason: "no connection", sent: false }),
    new ArtaError.AuthError({ reason: "USER_DISABLED" }),
    new ArtaError.UnauthorizedError({ operation: "submit" })
  ])("leaves the key free after a refusal: $_tag", (refusal) =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        const onSubmit = (nth: number) => (nth === 1 ? Effect.fail(refusal) : Effect.void)
        const service = yield* imageService({ onSubmit })
        const submit = Effect.provide(ledger.submit("key", request), service.layer)
        expect(yield* Effect.flip(submit)).toEqual(refusal)
        expect(tagOf(yield* ledger.find("key"))).toBe("None")
        expect((yield* submit).recordId).toBe("record-2")
      })
    )
  )

  // fault: Batch database | A submission without a response | it is unknown, and sent again only on request
  it.effect.each<
    [
      string,
      Effect.Effect<never, ArtaError.SubmissionUnknownError | ArtaError.TransportError | ArtaError.ResponseError>
    ]
  >([
    ["no response", Effect.fail(unknownError)],
    ["a lost connection", new ArtaError.TransportError({ operation: "submit", reason: "reset", sent: true })],
    ["an error of the service", new ArtaError.ResponseError({ operation: "submit", status: 502, detail: "" })],
    ["a defect", Effect.die("broken")]
  ])("sends an unknown submission again only on request: %s", ([, failure]) =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        const service = yield* imageService({ onSubmit: (nth) => (nth === 1 ? failure : Effect.void) })
        const submit = Effect.provide(ledger.submit("key", request), service.layer)
        expect(yield* ledger.retryUnknown("key")).toBe(false)
        yield* Effect.exit(submit)
        expect(yield* Effect.flip(submit)).toMatchObject({ _tag: "SubmissionUnknownError", request })
        expect(tagOf(yield* ledger.find("key"))).toBe("Unknown")
        expect(yield* service.posts).toBe(1)
        expect(yield* ledger.retryUnknown("key")).toBe(true)
        expect(yield* ledger.find("key")).toMatchObject({ value: { _tag: "Unknown", isReleased: true } })
        expect((yield* submit).recordId).toBe("record-2")
        expect(yield* ledger.retryUnknown("key")).toBe(false)
      })
    )
  )

  it.effect("has four submissions under way at most", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        const service = yield* imageService({ onSubmit: () => Effect.sleep("3 seconds") })
        const keys = Array.from({ length: 10 }, (_, index) => `key-${String(index)}`)
        const submit = (key: string) => Effect.provide(ledger.submit(key, request), service.layer)
        const ids = yield* inTime(Effect.forEach(keys, submit, { concurrency: "unbounded" }))
        expect(yield* service.mostAtOnce).toBe(4)
        expect(new Set(ids.map((submission) => submission.recordId)).size).toBe(10)
      })
    )
  )

  // fault: Batch database | A program is stopped while a submission is being sent | it ends once the response is recorded
  it.effect("records a submission whose caller is interrupted", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        const sent = yield* Deferred.make<boolean>()
        const accepted = yield* Deferred.make<boolean>()
        const onSubmit = () =>
          Effect.zipRight(Deferred.succeed(sent, true), Effect.interruptible(Deferred.await(accepted)))
        const service = yield* imageService({ onSubmit })
        const fiber = yield* Effect.fork(Effect.provide(SubmissionLedger.draw("key", request), service.layer))
        yield* Deferred.await(sent)
        const interruption = yield* Effect.fork(Fiber.interrupt(fiber))
        yield* Effect.yieldNow()
        expect(yield* Fiber.poll(interruption)).toEqual(Option.none())
        yield* Deferred.succeed(accepted, true)
        yield* finish(interruption)
        expect(tagOf(yield* ledger.find("key"))).toBe("Recorded")
        expect([yield* service.posts, yield* service.polls]).toEqual([1, 0])
      })
    )
  )

  it.effect("writes no intent without a token, but returns a submission that it knows", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        const noToken = new ArtaError.AuthError({ reason: "API_KEY_INVALID" })
        const auth = Layer.succeed(Auth.Auth, {
          token: Effect.fail(noToken),
          renew: () => Effect.fail(noToken),
          signOut: Effect.void
        })
        const signedOut = yield* imageService({ auth })
        const submitWithout = Effect.provide(ledger.submit("key", request), signedOut.layer)
        expect(yield* Effect.flip(submitWithout)).toEqual(noToken)
        expect(tagOf(yield* ledger.find("key"))).toBe("None")
        const service = yield* imageService()
        yield* Effect.provide(ledger.submit("key", request), service.layer)
        expect((yield* submitWithout).recordId).toBe("record-1")
        expect(yield* signedOut.posts).toBe(0)
      })
    )
  )

  it.effect("returns a failed generation again, and keeps the first outcome", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        const service = yield* imageService({
          status: Effect.succeed({ _tag: "Failed", status: "NSFW", detail: "refused" })
        })
        const draw = Effect.flip(Effect.provide(SubmissionLedger.draw("key", request), service.layer))
        const failure = yield* inTime(draw)
        expect(failure).toMatchObject({ _tag: "GenerationFailedError", recordId: "record-1", status: "NSFW" })
        expect(yield* draw).toEqual(failure)
        const other = new ArtaError.GenerationFailedError({ recordId: recordId(1), status: "OTHER", detail: "" })
        yield* ledger.complete("key", Either.left(other))
        expect(yield* draw).toEqual(failure)
        expect([yield* service.posts, yield* service.polls]).toEqual([1, 1])
      })
    )
  )

  it.effect("does not store images in the database", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        const url = `data:image/png;base64,${"A".repeat(100_000)}`
        const service = yield* imageService({ status: Effect.succeed({ _tag: "Done", images: [{ index: 0, url }] }) })
        const draw = Effect.provide(SubmissionLedger.draw("key", request), service.layer)
        expect((yield* inTime(draw)).images[0].url).toBe(url)
        expect(tagOf(yield* ledger.find("key"))).toBe("Recorded")
        expect((yield* inTime(draw)).images[0].url).toBe(url)
        expect(yield* service.posts).toBe(1)
      })
    )
  )

  it.effect("waits for a rate limit that ends before the timeout", () =>
    onLedger(() =>
      Effect.gen(function* () {
        const limited = (seconds: number) =>
          new ArtaError.RateLimitedError({ operation: "submit", retryAfter: Duration.seconds(seconds) })
        const limits = yield* Ref.make([limited(20), limited(60)])
        const onSubmit = () =>
          Effect.flatMap(
            Ref.modify(limits, ([first, ...rest]) => [first, rest]),
            (limit) => limit ?? Effect.void
          )
        const service = yield* imageService({ onSubmit })
        const draw = SubmissionLedger.draw("key", request, { timeout: "30 seconds" }).pipe(
          Effect.provide(service.layer)
        )
        expect(yield* inTime(Effect.flip(draw))).toMatchObject({ _tag: "RateLimitedError" })
        expect(yield* service.posts).toBe(2)
        expect((yield* inTime(draw)).recordId).toBe("record-3")
      })
    )
  )
}
