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

/** Why an image did not arrive, and whether another try, or another URL, may bring it. */
export class DownloadFailure extends Data.TaggedError("DownloadFailure")<{
  readonly reason: string
  readonly recovery: "retry" | "new url" | "none"
}> {}

const failure = (recovery: DownloadFailure["recovery"], reason: string) => new DownloadFailure({ recovery, reason })

const mostBytes = 64 * 1024 * 1024
const mostRedirects = 5
const longestSilence = Duration.seconds(30)

const refusal = (status: number): DownloadFailure => {
  const reason = `the server answered ${String(status)}`
  if (status === 403 || status === 410) return failure("new url", reason)
  return failure(status === 408 || status === 429 || status >= 500 ? "retry" : "none", reason)
}

const parseUrl = (url: string, from?: URL): Effect.Effect<URL, DownloadFailure> => {
  const parsed = URL.canParse(url, from) ? new URL(url, from) : undefined
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol)) {
    return Effect.fail(failure("none", "the address is not one of the web"))
  }
  return from?.protocol === "https:" && parsed.protocol === "http:"
    ? Effect.fail(failure("none", "it redirects from https to http"))
    : Effect.succeed(parsed)
}

const open = (
  client: HttpClient.HttpClient.With<HttpClientError, Scope.Scope>,
  url: URL,
  redirects = 0
): Effect.Effect<HttpClientResponse.HttpClientResponse, DownloadFailure, Scope.Scope> =>
  Effect.gen(function* () {
    const response = yield* client.get(url).pipe(
      Effect.mapError(() => failure("retry", "the connection failed")),
      Effect.timeoutFail({ duration: longestSilence, onTimeout: () => failure("retry", "the server does not answer") })
    )
    const { location } = response.headers
    if (response.status === 0) return yield* failure("none", notFollowed)
    if (isRedirect(response.status) && location !== undefined) {
      if (redirects === mostRedirects) return yield* failure("none", "it redirects without an end")
      return yield* open(client, yield* parseUrl(location, url), redirects + 1)
    }
    return response.status === 200 ? response : yield* refusal(response.status)
  })

const checkLength = (length: number): Effect.Effect<void, DownloadFailure> =>
  length > mostBytes ? failure("none", `it has more than ${String(mostBytes)} bytes`) : Effect.void

const checkSoFar = (ends: Ends): Effect.Effect<void, DownloadFailure> =>
  isUndecided(ends) || formatOf(ends) !== undefined
    ? checkLength(ends.length)
    : failure("none", "the answer is not a PNG, JPEG or WebP image")

const checkWhole = (ends: Ends, declaredLength: string | undefined): Effect.Effect<string, DownloadFailure> => {
  if (ends.length === 0) return failure("retry", "the answer is empty")
  const format = formatOf(ends)
  if (format === undefined) return failure("none", "the answer is not a PNG, JPEG or WebP image")
  const isShort = declaredLength !== undefined && ends.length < Number(declaredLength)
  return isShort || !format.isWhole(ends) ? failure("retry", "the image broke off") : Effect.succeed(format.extension)
}

/**
 * The bytes of an image. What is not an image fails early, what is not a whole one at the end: `onWhole` is told the
 * extension that the content calls for. No token is sent along.
 */
export const fetchImage = <E, R>(
  url: string,
  onWhole: (extension: string) => Effect.Effect<void, E, R>
): Stream.Stream<Uint8Array, DownloadFailure | E, HttpClient.HttpClient | R> =>
  Effect.gen(function* () {
    const client = HttpClient.withScope(untraced(yield* HttpClient.HttpClient))
    const response = yield* open(client, yield* parseUrl(url))
    const declaredLength = response.headers["content-length"]
    yield* checkLength(Number(declaredLength ?? 0))
    let ends = noBytes
    const body = response.stream.pipe(
      Stream.mapError(() => failure("retry", "the image broke off")),
      Stream.timeoutFail(() => failure("retry", "the image stopped arriving"), longestSilence),
      Stream.tap((chunk) => {
        ends = append(ends, chunk)
        return checkSoFar(ends)
      })
    )
    const end = Stream.fromEffect(Effect.suspend(() => checkWhole(ends, declaredLength)))
    return Stream.concat(body, Stream.drain(Stream.tap(end, onWhole)))
  }).pipe(Stream.unwrapScoped)
