import { HttpClient, KeyValueStore } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Cause, Effect, Exit, Layer, Logger, LogLevel, Option, Schema, Stream } from "effect"
import * as fc from "effect/FastCheck"
import { Arta, ArtaApi, ArtaError, Auth, GenerateRequest, Generation, ImageModel, TokenStore } from "effect-arta"
import { makeResponse } from "../support/response.js"
import { virtualTime } from "../support/controlledTime.js"
import { runs, seed } from "../support/suite.js"
import { setImmediate } from "node:timers/promises"
import { afterEach } from "vitest"

interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
}

const good = (body: unknown): Reply => ({ status: 200, headers: {}, text: JSON.stringify(body) })

/** An `HttpClient` that returns one reply after the other, and then repeats the last one. */
const replyWith = (...replies: ReadonlyArray<Reply>) => {
  let turn = 0
  return Layer.succeed(
    HttpClient.HttpClient,
    HttpClient.make((request) =>
      Effect.sync(() => {
        const reply = replies[Math.min(turn++, replies.length - 1)] ?? good({})
        return makeResponse(request, reply, Effect.succeed(reply.text))
      })
    )
  )
}

/** The result of an effect within a virtual day. An error must have a message and be serializable. */
const outcome = <A, E>(effect: Effect.Effect<A, E>): A | E => {
  const time = virtualTime("decoders")
  const fiber = time.start(effect)
  time.pass(86_400_000, () => undefined)
  const exit = fiber.unsafePoll()
  if (exit === null) throw new Error("It takes longer than a day.")
  if (Exit.isSuccess(exit)) return exit.value
  const error = Option.getOrThrowWith(Cause.failureOption(exit.cause), () => new Error(Cause.pretty(exit.cause)))
  if (error instanceof Error) expect(error.message).not.toBe("")
  expect(() => Schema.encodeUnknownSync(ArtaError.ArtaError)(error)).not.toThrow()
  return error
}

const errorTag = (result: unknown): string | undefined =>
  result instanceof Error && "_tag" in result ? String(result._tag) : undefined

const check = <A>(arbitrary: fc.Arbitrary<A>, holds: (value: A) => void) => {
  fc.assert(fc.property(arbitrary, holds), { numRuns: runs({ quick: 25, full: 100, nightly: 300 }), seed })
}

// Includes lone surrogates.
const anyText = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary" }),
  fc.constantFrom("\ud800", "record\udc00", "..", "\u0000", " "),
  fc.string({ unit: fc.nat({ max: 0xffff }).map((code) => String.fromCharCode(code)) })
)
const anyThing = fc.anything({
  withBigInt: true,
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withNullPrototype: true,
  withObjectString: true,
  withSet: true,
  withSparseArray: true,
  withTypedArray: true
})
const anyNumber = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(0, 1e-320, 1e300, 1e306, 1.7e308))
const numberLike = fc.oneof(anyNumber, anyNumber.map(String), anyText)
const cycle = fc.constant(undefined).map(() => {
  const self: Record<string, unknown> = { prompt: "a lighthouse" }
  return Object.assign(self, { self, messages: [self], seed: self })
})

const orAnything = <A>(arbitrary: fc.Arbitrary<A>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 4, arbitrary: arbitrary }, { weight: 1, arbitrary: fc.jsonValue() })

const withSome = (fields: Record<string, fc.Arbitrary<unknown>>) => fc.record(fields, { requiredKeys: [] })

/** Bodies that are almost valid, truncated, or arbitrary. */
const bodyLike = (fields: Record<string, fc.Arbitrary<unknown>>) => {
  const near = withSome(fields).map((body) => JSON.stringify(body))
  return fc.oneof(
    { weight: 3, arbitrary: near },
    { weight: 1, arbitrary: fc.tuple(near, fc.nat({ max: 100 })).map(([text, end]) => text.slice(0, end)) },
    { weight: 1, arbitrary: fc.jsonValue().map((body) => JSON.stringify(body)) },
    { weight: 1, arbitrary: anyText },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => new TextDecoder().decode(bytes)) }
  )
}

const retryAfter = fc.oneof(
  anyText,
  fc.bigInt({ min: 0n }).map(String),
  anyNumber.map(String),
  fc.date({ noInvalidDate: true }).map((date) => date.toUTCString())
)

const replyLike = (fields: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<Reply> =>
  fc.record({
    status: fc.oneof(fc.constantFrom(200, 400, 401, 429, 503), fc.integer({ min: 200, max: 599 })),
    headers: fc.oneof(
      fc.constant({}),
      retryAfter.map((value) => ({ "retry-after": value }))
    ),
    text: bodyLike(fields)
  })

const refusal = {
  error: orAnything(
    withSome({
      code: fc.integer(),
      message: orAnything(
        fc.oneof(fc.constantFrom("INVALID_REFRESH_TOKEN", "USER_DISABLED", "QUOTA_EXCEEDED : no"), anyText)
      )
    })
  )
}

const tokenErrors = ["AuthError", "ResponseError", "RateLimitedError", "TransportError", undefined]

// These tests never yield to the event loop. The test runner fails after a minute without a report, so yield between them.
afterEach(async () => {
  await setImmediate()
  await setImmediate()
})

// Hundreds of runs take up to ten seconds on an idle machine.
describe("No input causes a defect:", { timeout: 120_000 }, () => {
  const drawing = ArtaApi.layer().pipe(
    Layer.provide(Auth.layerToken("token")),
    Layer.provide(
      replyWith(good({ record_id: "record", status: "DONE", response: [{ url: "https://images.example/1.png" }] }))
    )
  )

  const optionsLike = withSome({
    prompt: orAnything(anyText),
    messages: orAnything(
      fc.array(
        withSome({
          role: fc.constantFrom("user", "system"),
          content: orAnything(fc.array(withSome({ type: fc.constant("text"), text: orAnything(anyText) })))
        })
      )
    ),
    model: orAnything(fc.oneof(fc.constantFrom(...ImageModel.ServiceName.literals, "gpt-image"), anyText)),
    negativePrompt: orAnything(anyText),
    n: orAnything(anyNumber),
    guidanceScale: orAnything(anyNumber),
    numInferenceSteps: orAnything(anyNumber),
    aspectRatio: orAnything(fc.oneof(fc.constant("16:9"), anyText)),
    seed: orAnything(fc.oneof(anyNumber, anyThing))
  })

  it("options", () => {
    check(fc.oneof(optionsLike, fc.jsonValue(), anyThing, cycle), (options) => {
      const result = outcome(Effect.provide(Arta.run(options as GenerateRequest.Options), drawing))
      expect([undefined, "InvalidRequestError", "UnknownModelError"]).toContain(errorTag(result))
    })
  })

  it("names of models", () => {
    check(fc.oneof(anyText, fc.constantFrom("__proto__", "constructor")), (model) => {
      expect(ImageModel.ServiceName.literals).toEqual(expect.arrayContaining([...ImageModel.candidates(model)]))
      expect(ImageModel.suggest(model)).toHaveLength(3)
    })
  })

  it("record ids", () => {
    check(fc.oneof(anyText, anyThing), (recordId) => {
      const result = outcome(Effect.provide(Stream.runDrain(Arta.watch(recordId as string)), drawing))
      expect([undefined, "InvalidRequestError"]).toContain(errorTag(result))
    })
  })

  const session = withSome({
    version: orAnything(fc.constantFrom(1, 2)),
    kind: anyText,
    localId: orAnything(anyText),
    idToken: orAnything(anyText),
    refreshToken: orAnything(anyText),
    issuedAt: orAnything(anyNumber),
    expiresIn: orAnything(numberLike)
  })

  const refreshed = {
    id_token: orAnything(anyText),
    refresh_token: orAnything(anyText),
    expires_in: orAnything(numberLike),
    ...refusal
  }

  const signedUp = {
    localId: orAnything(anyText),
    idToken: orAnything(anyText),
    refreshToken: orAnything(anyText),
    expiresIn: orAnything(numberLike),
    ...refusal
  }

  /** Gets a token with this stored session and these replies. Returns whether the store then holds a session. */
  const authorize = (stored: string, ...replies: ReadonlyArray<Reply>) =>
    Effect.gen(function* () {
      yield* Effect.flatMap(KeyValueStore.KeyValueStore, (store) => store.set("effect-arta/credentials", stored))
      const auth = yield* Auth.Auth
      yield* auth.token
      const store = yield* TokenStore.TokenStore
      return Option.isSome(yield* store.load) ? "stored" : "not stored"
    }).pipe(
      Effect.provide(
        Auth.layer({ apiKey: "key" }).pipe(
          Layer.provideMerge(TokenStore.layerKeyValueStore),
          Layer.provideMerge(KeyValueStore.layerMemory),
          Layer.provide(replyWith(...replies))
        )
      ),
      Logger.withMinimumLogLevel(LogLevel.None)
    )

  // fault: Whatever a service sends | Any content of the token file | a new session, or nothing
  it("stored sessions", () => {
    const right = good({
      localId: "a",
      idToken: "b",
      refreshToken: "c",
      expiresIn: "3600",
      id_token: "d",
      expires_in: 9
    })
    const texts = fc.oneof(
      session.map((fields) => JSON.stringify(fields)),
      bodyLike({ localId: anyText })
    )
    check(texts, (stored) => {
      expect(outcome(authorize(stored, right))).toBe("stored")
    })
  })

  // fault: Whatever a service sends | Any response to a sign-up | a typed error, or nothing
  it("sign-up responses", () => {
    check(fc.array(replyLike(signedUp), { minLength: 1, maxLength: 3 }), (replies) => {
      const result = outcome(authorize("", ...replies))
      expect(tokenErrors).toContain(errorTag(result))
      if (errorTag(result) === undefined) expect(result).toBe("stored")
    })
  })

  // fault: Whatever a service sends | Any response to a refresh | a typed error, or nothing
  it("refresh responses", () => {
    const old = { version: 1, localId: "a", idToken: "b", refreshToken: "c", issuedAt: 0, expiresIn: 3_600_000 }
    check(fc.array(replyLike(refreshed), { minLength: 1, maxLength: 3 }), (replies) => {
      const result = outcome(authorize(JSON.stringify(old), ...replies))
      expect(tokenErrors).toContain(errorTag(result))
      if (errorTag(result) === undefined) expect(result).toBe("stored")
    })
  })

  const detail = { detail: orAnything(fc.array(withSome({ loc: fc.jsonValue(), msg: anyText }))) }

  const asking = <A, E>(reply: Reply, ask: (api: ArtaApi.Service) => Effect.Effect<A, E>) =>
    Effect.flatMap(ArtaApi.ArtaApi, ask).pipe(
      Effect.provide(ArtaApi.layer().pipe(Layer.provide(Auth.layerToken("token")), Layer.provide(replyWith(reply))))
    )

  // fault: Whatever a service sends | Any response to a submission | a typed error, or nothing
  it("submission responses", () => {
    const request = new GenerateRequest.GenerateRequest({ prompt: "a lighthouse" })
    check(replyLike({ record_id: orAnything(anyText), ...detail }), (reply) => {
      // Each id that the service returns must work in a status request.
      const result = outcome(asking(reply, (api) => Effect.flatMap(api.submit(request), api.status)))
      const tags = [
        "ResponseError",
        "RateLimitedError",
        "TransportError",
        "UnauthorizedError",
        "SubmissionUnknownError"
      ]
      expect(["Queued", "InProgress", "Done", "Failed", ...tags]).toContain(result._tag)
    })
  })

  // fault: Whatever a service sends | Any response to a status request | a typed error, or nothing
  it("status responses", () => {
    const image = withSome({ url: orAnything(anyText) })
    const fields = {
      status: orAnything(fc.oneof(fc.constantFrom("IN_QUEUE", "IN_PROGRESS", "DONE"), anyText)),
      response: orAnything(fc.array(image)),
      ...detail
    }
    check(replyLike(fields), (reply) => {
      const result = outcome(asking(reply, (api) => api.status(Generation.RecordId.make("record"))))
      const tags = ["ResponseError", "RateLimitedError", "TransportError", "UnauthorizedError"]
      expect(["Queued", "InProgress", "Done", "Failed", ...tags]).toContain(result._tag)
    })
  })

  // fault: Whatever a service sends | Any Retry-After | a typed error, or nothing
  it("Retry-After headers", () => {
    check(fc.tuple(fc.constantFrom(429, 503), retryAfter), ([status, value]) => {
      const reply = { status, headers: { "retry-after": value }, text: "" }
      const result = outcome(asking(reply, (api) => api.status(Generation.RecordId.make("record"))))
      expect(result._tag).toBe("RateLimitedError")
      expect(["RateLimitedError", "TransportError"]).toContain(errorTag(outcome(authorize("", reply))))
    })
  })
})
