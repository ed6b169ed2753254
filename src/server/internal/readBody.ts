import * as HttpIncomingMessage from "@effect/platform/HttpIncomingMessage"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { ApiError } from "./apiError.js"
import { badRequest } from "./apiError.js"
import { ServerScope } from "./serverScope.js"

const mebibyte = 1024 * 1024

// Many clients read no response before they have sent their whole body, so a body that is too large is read to its end.
const mostDiscarded = 64 * mebibyte

const bodyTimeout = "30 seconds"

const tooLarge = (maxBytes: number): ApiError =>
  badRequest(
    `The body must not be larger than ${String(maxBytes / mebibyte)} MiB.`,
    undefined,
    413,
    "request_too_large"
  )

const tooSlow = badRequest(
  `The body did not arrive within ${bodyTimeout}. Nothing was submitted.`,
  undefined,
  408,
  "request_timeout"
)

const cutOff = badRequest("The body ended early. Nothing was submitted.")

interface Body {
  readonly size: number
  readonly chunks: ReadonlyArray<Uint8Array>
}

type Result = Deferred.Deferred<string, ApiError>

/** Reads a body whose client does not say that it is small. */
const readChunks = ({ stream }: HttpServerRequest.HttpServerRequest, maxBytes: number, result: Result) =>
  Effect.gen(function* () {
    const body = yield* Ref.make<Body>({ size: 0, chunks: [] })
    const add = (chunk: Uint8Array) =>
      Ref.modify(body, ({ chunks, size }) => {
        const total = size + chunk.length
        return [total, { size: total, chunks: total > maxBytes ? [] : [...chunks, chunk] }]
      }).pipe(
        Effect.flatMap((size) => (size > mostDiscarded ? Deferred.fail(result, tooLarge(maxBytes)) : Effect.void))
      )
    yield* Effect.mapError(Stream.runForEach(stream, add), () => cutOff)
    const { chunks, size } = yield* Ref.get(body)
    return size > maxBytes ? yield* tooLarge(maxBytes) : Buffer.concat(chunks).toString("utf8")
  })

/** Reads a body that is known to be small, which costs a fraction of a stream. */
const readSmall = ({ text }: HttpServerRequest.HttpServerRequest) =>
  text.pipe(
    Effect.provideService(HttpIncomingMessage.MaxBodySize, Option.none()),
    Effect.mapError(() => cutOff)
  )

/**
 * Goes on reading after an early response: if the connection closed while data arrives, many clients would lose the
 * response.
 */
const readText = (
  request: HttpServerRequest.HttpServerRequest,
  maxBytes: number
): Effect.Effect<string, ApiError, Scope.Scope | ServerScope> =>
  Effect.gen(function* () {
    // NaN if the client does not say how long the body is.
    const length = Number(request.headers["content-length"])
    if (length > mostDiscarded) return yield* tooLarge(maxBytes)
    const result: Result = yield* Deferred.make<string, ApiError>()
    const read = length <= maxBytes ? readSmall(request) : readChunks(request, maxBytes, result)
    yield* Effect.forkIn(Effect.intoDeferred(read, result), yield* ServerScope)
    yield* Effect.forkScoped(Effect.delay(Deferred.fail(result, tooSlow), bodyTimeout))
    return yield* Deferred.await(result)
  })

export type JsonObject = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The body of a request, as text and as a JSON object. */
export const readJson = (
  maxMebibytes: number
): Effect.Effect<
  { readonly text: string; readonly json: JsonObject },
  ApiError,
  HttpServerRequest.HttpServerRequest | Scope.Scope | ServerScope
> =>
  Effect.gen(function* () {
    const text = yield* readText(yield* HttpServerRequest.HttpServerRequest, maxMebibytes * mebibyte)
    const json = yield* Effect.try({
      try: (): unknown => JSON.parse(text),
      catch: () =>
        badRequest("The body must be JSON, with the content type application/json.", undefined, 400, "invalid_json")
    })
    return isObject(json)
      ? { text, json }
      : yield* badRequest("The body must be a JSON object.", undefined, 400, "invalid_json")
  })
