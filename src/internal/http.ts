import type * as Headers from "@effect/platform/Headers"
import * as HttpClient from "@effect/platform/HttpClient"
import type { HttpClientError } from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { constTrue } from "effect/Function"
import type * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { Operation } from "../ArtaError.js"
import { RateLimitedError, TransportError } from "../ArtaError.js"
import { atMost } from "./errorMessages.js"

/** An answer, read to its end. */
export interface Answer {
  readonly status: number
  readonly headers: Headers.Headers
  readonly text: string
}

/** A browser shows a redirect that it does not follow as an answer of status 0, and tells nothing else about it. */
export const isRedirect = (status: number): boolean => status === 0 || (status >= 300 && status < 400)

export const notFollowed = "it redirects elsewhere, which is not followed"

/** Client spans would hold whole URLs, API key included, and propagation would show our traces to third parties. */
export const untraced: (client: HttpClient.HttpClient) => HttpClient.HttpClient =
  HttpClient.withTracerDisabledWhen(constTrue)

const unsentReasons: Record<string, string> = {
  ECONNREFUSED: "connection refused",
  ENOTFOUND: "host name not found",
  EAI_AGAIN: "host name not found",
  EHOSTUNREACH: "host unreachable",
  ENETUNREACH: "network unreachable",
  UND_ERR_CONNECT_TIMEOUT: "no connection in time",
  UND_ERR_INVALID_ARG: "the request could not be made"
}

const refusedTunnel = "HTTP Tunneling"

/** Why there is no answer, and whether anything was sent before. */
type Diagnosis = Pick<TransportError, "reason" | "sent">

const diagnoseCause = (cause: unknown): Diagnosis => {
  if (!Predicate.isRecord(cause)) return { reason: "the connection failed", sent: true }
  const { code, message, syscall } = cause
  if (typeof code !== "string") return diagnoseCause(cause["cause"])
  if (typeof message === "string" && message.includes(refusedTunnel)) {
    return { reason: "the proxy refused to connect", sent: false }
  }
  // A route can also be lost in the middle of an exchange.
  const unsent = syscall === "read" || syscall === "write" ? undefined : unsentReasons[code]
  return unsent === undefined
    ? { reason: `the connection failed (${code})`, sent: true }
    : { reason: unsent, sent: false }
}

/** The reason where no connection was even tried, and no later try will do better. */
export const unusableUrl = "the request could not be made: check the URL"

const diagnose = (error: HttpClientError): Diagnosis => {
  if (error._tag === "ResponseError") return { reason: "the answer broke off", sent: true }
  return error.reason === "Transport" ? diagnoseCause(error.cause) : { reason: unusableUrl, sent: false }
}

/** Sends a request once and reads the answer to its end, all within the timeout. */
export const exchange = (
  client: HttpClient.HttpClient,
  operation: Operation,
  timeout: Duration.DurationInput,
  request: HttpClientRequest.HttpClientRequest
): Effect.Effect<Answer, TransportError> =>
  client.execute(request).pipe(
    Effect.flatMap((response) =>
      Effect.map(response.text, (text): Answer => ({ status: response.status, headers: response.headers, text }))
    ),
    // The foreign error holds the request with its Authorization header, so nothing of it is kept as a cause.
    Effect.mapError((error) => new TransportError({ operation, ...diagnose(error) })),
    // Even a caller that must not be interrupted gets rid of a request that hangs.
    Effect.interruptible,
    Effect.timeoutFail({
      duration: timeout,
      onTimeout: () =>
        new TransportError({ operation, reason: `no answer within ${Duration.format(timeout)}`, sent: true })
    })
  )

export const decodeJson = <A, I>(schema: Schema.Schema<A, I>): ((answer: Answer) => Option.Option<A>) => {
  const decode = Schema.decodeUnknownOption(Schema.parseJson(schema))
  return (answer) => decode(answer.text)
}

/** Text of a service, fit for an error message: one line, bounded, and without secrets that the service repeats. */
export const presentable = (text: string, secrets: ReadonlyArray<Redacted.Redacted>): string => {
  const scrubbed = secrets.reduce((rest, secret) => rest.replaceAll(Redacted.value(secret), "<redacted>"), text)
  return atMost(500, scrubbed.replace(/\s+/g, " ").trim())
}

const retryAfter = (answer: Answer): Effect.Effect<Duration.Duration | undefined> =>
  Effect.map(Clock.currentTimeMillis, (now) => {
    const header = answer.headers["retry-after"]?.trim() ?? ""
    // A date is one by the service's clock, which may be hours away from this one.
    const answered = Date.parse(answer.headers["date"] ?? "") || now
    const millis = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - answered
    // A longer wait could not be written down as a schema's `Duration`.
    return millis > 0 ? Duration.millis(Math.min(millis, Number.MAX_SAFE_INTEGER)) : undefined
  })

export const rateLimited = (operation: Operation, answer: Answer): Effect.Effect<never, RateLimitedError> =>
  Effect.flatMap(retryAfter(answer), (retryAfter) => new RateLimitedError({ operation, retryAfter }))
