import * as HttpClient from "@effect/platform/HttpClient"
import type { HttpClientError } from "@effect/platform/HttpClientError"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { isRedirect, notFollowed, untraced } from "../http.js"
import type { Ends } from "./imageSignature.js"
import { append, formatOf, isUndecided, noBytes } from "./imageSignature.js"

/** Why a picture did not arrive, and whether another try, or another URL, may bring it. */
export class Trouble extends Data.TaggedError("Trouble")<{
  readonly reason: string
  readonly cure: "retry" | "new url" | "none"
}> {}

const trouble = (cure: Trouble["cure"], reason: string) => new Trouble({ cure, reason })

const mostBytes = 64 * 1024 * 1024
const mostRedirects = 5
const longestSilence = Duration.seconds(30)

const refusal = (status: number): Trouble => {
  const reason = `the server answered ${String(status)}`
  if (status === 403 || status === 410) return trouble("new url", reason)
  return trouble(status === 408 || status === 429 || status >= 500 ? "retry" : "none", reason)
}

const parseUrl = (url: string, from?: URL): Effect.Effect<URL, Trouble> => {
  const parsed = URL.canParse(url, from) ? new URL(url, from) : undefined
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol)) {
    return Effect.fail(trouble("none", "the address is not one of the web"))
  }
  return from?.protocol === "https:" && parsed.protocol === "http:"
    ? Effect.fail(trouble("none", "it redirects from https to http"))
    : Effect.succeed(parsed)
}

const open = (
  client: HttpClient.HttpClient.With<HttpClientError, Scope.Scope>,
  url: URL,
  redirects = 0
): Effect.Effect<HttpClientResponse.HttpClientResponse, Trouble, Scope.Scope> =>
  Effect.gen(function* () {
    const response = yield* client.get(url).pipe(
      Effect.mapError(() => trouble("retry", "the connection failed")),
      Effect.timeoutFail({ duration: longestSilence, onTimeout: () => trouble("retry", "the server does not answer") })
    )
    const { location } = response.headers
    if (response.status === 0) return yield* trouble("none", notFollowed)
    if (isRedirect(response.status) && location !== undefined) {
      if (redirects === mostRedirects) return yield* trouble("none", "it redirects without an end")
      return yield* open(client, yield* parseUrl(location, url), redirects + 1)
    }
    return response.status === 200 ? response : yield* refusal(response.status)
  })

const checkLength = (length: number): Effect.Effect<void, Trouble> =>
  length > mostBytes ? trouble("none", `it has more than ${String(mostBytes)} bytes`) : Effect.void

const checkSoFar = (ends: Ends): Effect.Effect<void, Trouble> =>
  isUndecided(ends) || formatOf(ends) !== undefined
    ? checkLength(ends.length)
    : trouble("none", "the answer is not a PNG, JPEG or WebP picture")

const checkWhole = (ends: Ends, declaredLength: string | undefined): Effect.Effect<string, Trouble> => {
  if (ends.length === 0) return trouble("retry", "the answer is empty")
  const format = formatOf(ends)
  if (format === undefined) return trouble("none", "the answer is not a PNG, JPEG or WebP picture")
  const isShort = declaredLength !== undefined && ends.length < Number(declaredLength)
  return isShort || !format.isWhole(ends) ? trouble("retry", "the picture broke off") : Effect.succeed(format.extension)
}

/**
 * The bytes of a picture. What is not a picture fails early, what is not a whole one at the end: `onWhole` is told the
 * extension that the content calls for. No token is sent along.
 */
export const fetchPicture = <E, R>(
  url: string,
  onWhole: (extension: string) => Effect.Effect<void, E, R>
): Stream.Stream<Uint8Array, Trouble | E, HttpClient.HttpClient | R> =>
  Effect.gen(function* () {
    const client = HttpClient.withScope(untraced(yield* HttpClient.HttpClient))
    const response = yield* open(client, yield* parseUrl(url))
    const declaredLength = response.headers["content-length"]
    yield* checkLength(Number(declaredLength ?? 0))
    let ends = noBytes
    const body = response.stream.pipe(
      Stream.mapError(() => trouble("retry", "the picture broke off")),
      Stream.timeoutFail(() => trouble("retry", "the picture stopped arriving"), longestSilence),
      Stream.tap((chunk) => {
        ends = append(ends, chunk)
        return checkSoFar(ends)
      })
    )
    const end = Stream.fromEffect(Effect.suspend(() => checkWhole(ends, declaredLength)))
    return Stream.concat(body, Stream.drain(Stream.tap(end, onWhole)))
  }).pipe(Stream.unwrapScoped)
