import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Operation } from "../ArtaError.js"
import { RateLimitedError, TransportError } from "../ArtaError.js"
import { describe, proxyAuthentication } from "./diagnosis.js"
import { explanation, parseJson, readJson } from "./explanation.js"
import type { Secrets } from "./serviceText.js"
import type { BufferedResponse, Transport, TransportFailure, TransportRequest, TransportResponse } from "./transport.js"

/** A failure that must not be retried. */
export class PermanentError extends TransportError {}

/** Whether a failure must not be retried. */
export const isPermanent = (error: unknown): error is TransportError => error instanceof PermanentError

/** Sends a request once. The service, or an error, may repeat the secrets in it. */
export const exchange = (
  transport: typeof Transport.Service,
  operation: Operation,
  request: TransportRequest,
  secrets: Secrets
): Effect.Effect<BufferedResponse, TransportError> => {
  const fail = (failure: TransportFailure) => {
    const fields = { operation, sent: failure.sent, reason: describe(failure, secrets) }
    return failure.isPermanent === true ? new PermanentError(fields) : new TransportError(fields)
  }
  return Effect.matchEffect(transport.send(request), {
    onFailure: fail,
    onSuccess: ({ header, status, text }) =>
      status === 407
        ? fail({ ...proxyAuthentication, detail: explanation(readJson({ text })) })
        : Effect.succeed({ status, header, text, secrets })
  })
}

export const decodeJson = <A, I>(
  schema: Schema.Schema<A, I>
): ((response: Pick<BufferedResponse, "text">) => Option.Option<A>) => {
  const decode = Schema.decodeUnknownOption(schema)
  return ({ text }) => Option.flatMap(parseJson(text), decode)
}

export const retryAfter = (header: TransportResponse["header"]): Effect.Effect<Duration.Duration | undefined> =>
  Effect.map(Clock.currentTimeMillis, (now) => {
    const value = header("retry-after")?.trim() ?? ""
    // The date is on the service's clock, which may differ from ours by hours.
    const respondedAt = Date.parse(header("date") ?? "") || now
    // A header that comes twice is a list. `Date.parse` reads almost any text with a number as the year of a date.
    const isDate = /\d:\d\d/.test(value)
    const millis = isDate
      ? Date.parse(value) - respondedAt
      : Math.max(...value.split(",").map(Number.parseFloat)) * 1000
    // A schema's `Duration` cannot encode a longer wait.
    return millis > 0 && millis < Infinity ? Duration.millis(Math.min(millis, Number.MAX_SAFE_INTEGER)) : undefined
  })

export const isRateLimit = ({ header, status }: TransportResponse): boolean =>
  status === 429 || (status === 503 && header("retry-after") !== undefined)

export const rateLimited = (
  operation: Operation,
  { header }: BufferedResponse,
  reason: string
): Effect.Effect<never, RateLimitedError> =>
  Effect.flatMap(
    retryAfter(header),
    (retryAfter) => new RateLimitedError({ operation, retryAfter, reason: reason || undefined })
  )
