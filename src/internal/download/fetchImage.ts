import * as HttpClient from "@effect/platform/HttpClient"
import type { HttpClientError } from "@effect/platform/HttpClientError"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Encoding from "effect/Encoding"
import { constTrue } from "effect/Function"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { limit } from "../body.js"
import { describe, diagnose } from "../diagnosis.js"
import { isRedirect, notFollowed } from "../explanation.js"
import { retryAfter } from "../http.js"
import * as DataUrl from "./dataUrl.js"
import { DownloadFailure, failure, fromBodyFailure, incomplete, timedOut, withoutUser } from "./downloadFailure.js"
import type { Format, Scanned } from "./imageScan.js"
import { makeImageScan } from "./imageScan.js"
import { idleTimeout, limitWaiting } from "./limitWaiting.js"
import { stopwatch } from "./stopwatch.js"
import { streamBody } from "./streamBody.js"

const maxMebibytes = 64
const maxRedirects = 5

const isOk = (status: number): boolean => status >= 200 && status < 300 && status !== 202

const fromStatus = ({
  headers,
  status
}: HttpClientResponse.HttpClientResponse): Effect.Effect<never, DownloadFailure> =>
  Effect.flatMap(
    retryAfter((name) => headers[name]),
    (retryAfter) => {
      const reason = `the server returned HTTP ${String(status)}`
      // Right after a generation, the host may not have the image yet.
      const isNotThereYet = status === 202 || status === 404 || status === 425
      const isPassing = status === 408 || status === 429 || status >= 500
      // Hosts refuse a URL that has expired with 403, 410, 400 or 401.
      const isRefusal = status >= 400 && !isNotThereYet && !isPassing
      if (retryAfter === undefined) {
        if (isRefusal) return failure("new url", reason)
        return isNotThereYet ? failure("wait", reason) : failure(isPassing ? "retry" : "none", reason)
      }
      return new DownloadFailure({
        recovery: isRefusal ? "new url" : "wait",
        reason: `${reason} and asks to wait ${Duration.format(retryAfter)}`,
        retryAfter
      })
    }
  )

const parseUrl = (url: string, from?: URL): Effect.Effect<URL, DownloadFailure> => {
  const parsed = URL.canParse(url, from) ? new URL(url, from) : undefined
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol)) {
    return failure("none", "the URL is not an http or https URL")
  }
  return from?.protocol === "https:" && parsed.protocol === "http:"
    ? failure("none", "the server redirects from https to http")
    : Effect.succeed(parsed)
}

const decodeUtf8 = Option.liftThrowable((bytes: Uint8Array) => new TextDecoder("utf-8", { fatal: true }).decode(bytes))

/** HTTP clients read a header as Latin-1, but a `Location` that is not ASCII is UTF-8. */
const readLocation = (header: string): string =>
  /^[\0-\xff]*$/.test(header)
    ? Option.getOrElse(decodeUtf8(Uint8Array.from(header, (byte) => byte.charCodeAt(0))), () => header)
    : header

const decodePercent = (text: string) => Option.getOrElse(Option.liftThrowable(decodeURIComponent)(text), () => text)

/** A user in the URL becomes a header, as in browsers. A relative redirect inherits it, but no other host receives it. */
const basicAuthorization = ({ password, username }: URL) =>
  username === "" && password === ""
    ? {}
    : { authorization: `Basic ${Encoding.encodeBase64(`${decodePercent(username)}:${decodePercent(password)}`)}` }

const open = (
  client: HttpClient.HttpClient.With<HttpClientError, Scope.Scope>,
  url: URL,
  redirects = 0
): Effect.Effect<HttpClientResponse.HttpClientResponse, DownloadFailure, Scope.Scope> =>
  Effect.gen(function* () {
    // A signature covers the bytes of the query, and the client rewrites the query of a `URL`, but not of a string.
    const target = withoutUser(url.href).replace(/#.*/, "")
    const response = yield* client.get(target, { headers: basicAuthorization(url) }).pipe(
      Effect.mapError((error) => failure("retry", describe(diagnose(error), []))),
      Effect.timeoutFail({
        duration: idleTimeout,
        onTimeout: () => failure("retry", `no response within ${Duration.format(idleTimeout)}`)
      })
    )
    const { location } = response.headers
    if (response.status === 0) return yield* failure("none", notFollowed)
    if (isRedirect(response.status) && location !== undefined) {
      if (redirects === maxRedirects) return yield* failure("none", "the server redirects too often")
      return yield* open(client, yield* parseUrl(readLocation(location), url), redirects + 1)
    }
    return isOk(response.status) ? response : yield* fromStatus(response)
  })

// Spans of the client would hold signed URLs, and propagation would send our trace ids to third parties.
const untraced = HttpClient.withTracerDisabledWhen(constTrue)

const fromServer = (
  url: string,
  timeout: Duration.Duration,
  isComplete: Effect.Effect<boolean>
): Stream.Stream<Uint8Array, DownloadFailure, HttpClient.HttpClient> =>
  Effect.gen(function* () {
    const client = HttpClient.withScope(untraced(yield* HttpClient.HttpClient))
    const elapsed = yield* stopwatch
    const response = yield* Effect.timeoutFail(open(client, yield* parseUrl(url)), {
      duration: timeout,
      onTimeout: () => timedOut(timeout)
    })
    return limitWaiting(streamBody(response, maxMebibytes), timeout, yield* elapsed, isComplete)
  }).pipe(Stream.unwrapScoped)

const fromDataUrl = (url: string): Stream.Stream<Uint8Array, DownloadFailure> =>
  Option.match(DataUrl.decode(url), {
    onNone: () => Stream.fail(failure("none", "the base64 of the URL is invalid")),
    onSome: (bytes) => Stream.mapError(limit(Stream.make(bytes), maxMebibytes), fromBodyFailure)
  })

const notAnImage = failure("none", "the response is not a PNG, JPEG, or WebP image")

const checkSoFar = ({ format, isUndecided }: Scanned): Effect.Effect<void, DownloadFailure> =>
  format !== undefined || isUndecided ? Effect.void : notAnImage

const checkEnd: (scanned: Option.Option<Scanned>) => Effect.Effect<Format, DownloadFailure> = Option.match({
  onNone: () => failure("retry", "the response is empty"),
  onSome: ({ format, isComplete }) => {
    if (format === undefined) return notAnImage
    return isComplete ? Effect.succeed(format) : incomplete
  }
})

/**
 * Streams the bytes of an image. The request carries no token.
 *
 * A response that is not an image fails after its first bytes. An incomplete image fails at the end of the stream.
 * After a complete image, `onComplete` receives its format.
 */
export const fetchImage = <E, R>(
  url: string,
  timeout: Duration.Duration,
  onComplete: (format: Format) => Effect.Effect<void, E, R>
): Stream.Stream<Uint8Array, DownloadFailure | E, HttpClient.HttpClient | R> =>
  Effect.gen(function* () {
    const scan = makeImageScan()
    const last = yield* Ref.make(Option.none<Scanned>())
    const isComplete = Effect.map(
      Ref.get(last),
      Option.exists(({ isComplete }) => isComplete)
    )
    const bytes = DataUrl.isDataUrl(url) ? fromDataUrl(url) : fromServer(url, timeout, isComplete)
    const checked = Stream.tap(bytes, (chunk) => {
      const scanned = scan(chunk)
      return Effect.zipRight(Ref.set(last, Option.some(scanned)), checkSoFar(scanned))
    }).pipe(
      // The image has an end of its own, so it does not matter how the connection ends after it.
      Stream.catchAll((failure) =>
        Stream.execute(
          Effect.filterOrFail(
            isComplete,
            (isComplete) => isComplete && failure.recovery === "retry",
            () => failure
          )
        )
      )
    )
    const end = Effect.flatMap(Effect.flatMap(Ref.get(last), checkEnd), onComplete)
    return Stream.concat(checked, Stream.execute(end))
  }).pipe(Stream.unwrap)
