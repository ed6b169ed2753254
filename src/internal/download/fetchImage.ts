import * as HttpClient from "@effect/platform/HttpClient"
import type { HttpClientError } from "@effect/platform/HttpClientError"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { isRedirect, notFollowed, untraced } from "../http.js"
import type { Ends } from "./imageSignature.js"
import { append, formatOf, isUndecided, noBytes } from "./imageSignature.js"

/** Why a download failed, and whether a retry or a new URL may succeed. */
export class DownloadFailure extends Data.TaggedError("DownloadFailure")<{
  readonly reason: string
  readonly recovery: "retry" | "new url" | "none"
}> {}

const failure = (recovery: DownloadFailure["recovery"], reason: string) => new DownloadFailure({ recovery, reason })

const maxBytes = 64 * 1024 * 1024
const maxRedirects = 5
const idleTimeout = Duration.seconds(30)

const fromStatus = (status: number): DownloadFailure => {
  const reason = `the server returned HTTP ${String(status)}`
  if (status === 403 || status === 410) return failure("new url", reason)
  return failure(status === 408 || status === 429 || status >= 500 ? "retry" : "none", reason)
}

const parseUrl = (url: string, from?: URL): Effect.Effect<URL, DownloadFailure> => {
  const parsed = URL.canParse(url, from) ? new URL(url, from) : undefined
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol)) {
    return Effect.fail(failure("none", "the URL is not an http or https URL"))
  }
  return from?.protocol === "https:" && parsed.protocol === "http:"
    ? Effect.fail(failure("none", "the server redirects from https to http"))
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
      Effect.timeoutFail({
        duration: idleTimeout,
        onTimeout: () => failure("retry", `no response within ${Duration.format(idleTimeout)}`)
      })
    )
    const { location } = response.headers
    if (response.status === 0) return yield* failure("none", notFollowed)
    if (isRedirect(response.status) && location !== undefined) {
      if (redirects === maxRedirects) return yield* failure("none", "the server redirects too often")
      return yield* open(client, yield* parseUrl(location, url), redirects + 1)
    }
    return response.status === 200 ? response : yield* fromStatus(response.status)
  })

const checkLength = (length: number): Effect.Effect<void, DownloadFailure> =>
  length > maxBytes ? failure("none", "the image is larger than 64 MiB") : Effect.void

const notAnImage = () => failure("none", "the response is not a PNG, JPEG, or WebP image")
const incomplete = () => failure("retry", "the image is incomplete")

const checkSoFar = (ends: Ends): Effect.Effect<void, DownloadFailure> =>
  isUndecided(ends) || formatOf(ends) !== undefined ? checkLength(ends.length) : notAnImage()

const checkComplete = (ends: Ends, declaredLength: string | undefined): Effect.Effect<string, DownloadFailure> => {
  if (ends.length === 0) return failure("retry", "the response is empty")
  const format = formatOf(ends)
  if (format === undefined) return notAnImage()
  const isShort = declaredLength !== undefined && ends.length < Number(declaredLength)
  return isShort || !format.isComplete(ends) ? incomplete() : Effect.succeed(format.extension)
}

/**
 * Streams the bytes of an image. The request carries no token.
 *
 * A response that is not an image fails after its first bytes. An incomplete image fails at the end of the stream.
 * After a complete image, `onComplete` receives the file extension that matches the content.
 */
export const fetchImage = <E, R>(
  url: string,
  onComplete: (extension: string) => Effect.Effect<void, E, R>
): Stream.Stream<Uint8Array, DownloadFailure | E, HttpClient.HttpClient | R> =>
  Effect.gen(function* () {
    const client = HttpClient.withScope(untraced(yield* HttpClient.HttpClient))
    const response = yield* open(client, yield* parseUrl(url))
    const declaredLength = response.headers["content-length"]
    yield* checkLength(Number(declaredLength ?? 0))
    const ends = yield* Ref.make(noBytes)
    const body = response.stream.pipe(
      Stream.mapError(incomplete),
      Stream.timeoutFail(
        () => failure("retry", `the server sent nothing for ${Duration.format(idleTimeout)}`),
        idleTimeout
      ),
      Stream.tap((chunk) =>
        Effect.flatMap(
          Ref.updateAndGet(ends, (before) => append(before, chunk)),
          checkSoFar
        )
      )
    )
    const end = Stream.fromEffect(Effect.flatMap(Ref.get(ends), (all) => checkComplete(all, declaredLength)))
    return Stream.concat(body, Stream.drain(Stream.tap(end, onComplete)))
  }).pipe(Stream.unwrapScoped)
