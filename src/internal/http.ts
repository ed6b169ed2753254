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
import type { BodyFailure } from "./body.js"
import { readText } from "./body.js"
import { atMost } from "./errorMessages.js"

/** A response whose body was read to its end. */
export interface BufferedResponse {
  readonly status: number
  readonly headers: Headers.Headers
  readonly text: string
}

/** Browsers report a redirect that they do not follow as a response with status 0 and no other detail. */
export const isRedirect = (status: number): boolean => status === 0 || (status >= 300 && status < 400)

export const notFollowed = "redirects are not followed"

/**
 * Client spans would hold full URLs, including the API key, and propagation would send our trace ids to third parties.
 */
export const untraced: (client: HttpClient.HttpClient) => HttpClient.HttpClient =
  HttpClient.withTracerDisabledWhen(constTrue)

const unsentReasons: Record<string, string> = {
  ECONNREFUSED: "connection refused",
  ENOTFOUND: "host not found",
  EAI_AGAIN: "host not found",
  EHOSTUNREACH: "host unreachable",
  ENETUNREACH: "network unreachable",
  UND_ERR_CONNECT_TIMEOUT: "the connection timed out",
  UND_ERR_INVALID_ARG: "the request could not be made"
}

const refusedTunnel = "HTTP Tunneling"

/** Why no response arrived, and whether any byte of the request was sent. */
type Diagnosis = Pick<TransportError, "reason" | "sent">

const diagnoseCause = (cause: unknown): Diagnosis => {
  if (!Predicate.isRecord(cause)) return { reason: "the connection failed", sent: true }
  const { code, message, syscall } = cause
  if (typeof code !== "string") {
    return syscall === "connect" ? { reason: "the connection failed", sent: false } : diagnoseCause(cause["cause"])
  }
  if (typeof message === "string" && message.includes(refusedTunnel)) {
    return { reason: "the proxy refused to connect", sent: false }
  }
  // A network can also become unreachable in the middle of an exchange.
  const unsent = syscall === "read" || syscall === "write" ? undefined : unsentReasons[code]
  return {
    reason: unsent ?? `the connection failed (${code})`,
    sent: unsent === undefined && syscall !== "connect"
  }
}

/** The reason if no connection was attempted and a retry cannot help. */
export const unusableUrl = "the request could not be made: check the URL"

// The status of an image of 64 MiB as a `data:` URL.
const mostStatusMebibytes = 88

const diagnose = (error: HttpClientError | BodyFailure): Diagnosis => {
  if (error._tag === "BodyFailure") return { reason: error.reason, sent: true }
  if (error._tag === "ResponseError") return { reason: "the response was cut off", sent: true }
  return error.reason === "Transport" ? diagnoseCause(error.cause) : { reason: unusableUrl, sent: false }
}

/** Sends a request once and reads the response to its end, within the timeout. */
export const exchange = (
  client: HttpClient.HttpClient,
  operation: Operation,
  timeout: Duration.DurationInput,
  request: HttpClientRequest.HttpClientRequest
): Effect.Effect<BufferedResponse, TransportError> =>
  client.execute(request).pipe(
    Effect.flatMap((response) =>
      Effect.map(readText(response, operation === "status" ? mostStatusMebibytes : 1), (text): BufferedResponse => ({
        status: response.status,
        headers: response.headers,
        text
      }))
    ),
    // The original error holds the request with its Authorization header, so it must not become the cause.
    Effect.mapError((error) => new TransportError({ operation, ...diagnose(error) })),
    // The timeout must interrupt a hanging request even in an uninterruptible region.
    Effect.interruptible,
    Effect.timeoutFail({
      duration: timeout,
      onTimeout: () =>
        new TransportError({ operation, reason: `no response within ${Duration.format(timeout)}`, sent: true })
    })
  )

export const decodeJson = <A, I>(schema: Schema.Schema<A, I>): ((response: BufferedResponse) => Option.Option<A>) => {
  const decode = Schema.decodeUnknownOption(Schema.parseJson(schema))
  return (response) => decode(response.text)
}

/** Prepares a service's text for an error message: one line, at most 500 characters, without the given secrets. */
export const presentable = (text: string, secrets: ReadonlyArray<Redacted.Redacted>): string => {
  const scrubbed = secrets.reduce((rest, secret) => rest.replaceAll(Redacted.value(secret), "<redacted>"), text)
  return atMost(500, scrubbed.replace(/\s+/g, " ").trim())
}

const retryAfter = (response: BufferedResponse): Effect.Effect<Duration.Duration | undefined> =>
  Effect.map(Clock.currentTimeMillis, (now) => {
    const header = response.headers["retry-after"]?.trim() ?? ""
    // The date is on the service's clock, which may differ from ours by hours.
    const respondedAt = Date.parse(response.headers["date"] ?? "") || now
    const millis = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - respondedAt
    // A schema's `Duration` cannot encode a longer wait.
    return millis > 0 ? Duration.millis(Math.min(millis, Number.MAX_SAFE_INTEGER)) : undefined
  })

export const rateLimited = (operation: Operation, response: BufferedResponse): Effect.Effect<never, RateLimitedError> =>
  Effect.flatMap(retryAfter(response), (retryAfter) => new RateLimitedError({ operation, retryAfter }))
