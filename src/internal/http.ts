import type * as Headers from "@effect/platform/Headers"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { constTrue } from "effect/Function"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Operation } from "../ArtaError.js"
import { RateLimitedError, TransportError } from "../ArtaError.js"
import { readText } from "./body.js"
import { diagnose, proxyAuthentication } from "./diagnosis.js"
import type { Secrets } from "./serviceText.js"

/** A response whose body was read to its end. */
export interface BufferedResponse {
  readonly status: number
  readonly headers: Headers.Headers
  readonly text: string
  /** What the text may repeat of the request. */
  readonly secrets: Secrets
}

/** Browsers report a redirect that they do not follow as a response with status 0 and no other detail. */
export const isRedirect = (status: number): boolean => status === 0 || (status >= 300 && status < 400)

export const notFollowed = "redirects are not followed"

/**
 * Client spans would hold full URLs, including the API key, and propagation would send our trace ids to third parties.
 */
export const untraced: (client: HttpClient.HttpClient) => HttpClient.HttpClient =
  HttpClient.withTracerDisabledWhen(constTrue)

// The status of an image of 64 MiB as a `data:` URL.
const mostStatusMebibytes = 88

export interface ExchangeOptions {
  readonly operation: Operation
  readonly timeout: Duration.DurationInput
  /** What the service, or an error, may repeat of the request. */
  readonly secrets: Secrets
}

/** Sends a request once and reads the response to its end, within the timeout. */
export const exchange = (
  client: HttpClient.HttpClient,
  { operation, secrets, timeout }: ExchangeOptions,
  request: HttpClientRequest.HttpClientRequest
): Effect.Effect<BufferedResponse, TransportError> =>
  client.execute(request).pipe(
    Effect.flatMap((response) =>
      Effect.map(readText(response, operation === "status" ? mostStatusMebibytes : 1), (text): BufferedResponse => ({
        status: response.status,
        headers: response.headers,
        text,
        secrets
      }))
    ),
    Effect.mapError((error) => diagnose(error, secrets)),
    Effect.filterOrFail(
      ({ status }) => status !== 407,
      () => proxyAuthentication
    ),
    // The timeout must interrupt a hanging request even in an uninterruptible region.
    Effect.interruptible,
    Effect.timeoutFail({
      duration: timeout,
      onTimeout: () => ({ reason: `no response within ${Duration.format(timeout)}`, sent: true })
    }),
    Effect.mapError((diagnosis) => new TransportError({ operation, ...diagnosis }))
  )

export const decodeJson = <A, I>(
  schema: Schema.Schema<A, I>
): ((response: Pick<BufferedResponse, "text">) => Option.Option<A>) => {
  const decode = Schema.decodeUnknownOption(Schema.parseJson(schema))
  return (response) => decode(response.text)
}

export const retryAfter = ({
  headers
}: Pick<BufferedResponse, "headers">): Effect.Effect<Duration.Duration | undefined> =>
  Effect.map(Clock.currentTimeMillis, (now) => {
    const header = headers["retry-after"]?.trim() ?? ""
    // The date is on the service's clock, which may differ from ours by hours.
    const respondedAt = Date.parse(headers["date"] ?? "") || now
    const millis = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - respondedAt
    // A schema's `Duration` cannot encode a longer wait.
    return millis > 0 ? Duration.millis(Math.min(millis, Number.MAX_SAFE_INTEGER)) : undefined
  })

export const rateLimited = (operation: Operation, response: BufferedResponse): Effect.Effect<never, RateLimitedError> =>
  Effect.flatMap(retryAfter(response), (retryAfter) => new RateLimitedError({ operation, retryAfter }))
