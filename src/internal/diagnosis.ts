import type { HttpClientError } from "@effect/platform/HttpClientError"
import * as Duration from "effect/Duration"
import * as Predicate from "effect/Predicate"
import type { TransportError } from "../ArtaError.js"
import type { BodyFailure } from "./body.js"
import type { TransportFailure } from "./transport.js"

/** Whether a retry cannot help: only then does the reason say what to check. */
export const isPermanent = ({ reason }: TransportError): boolean => reason.includes(": check the ")

export const proxyAuthentication: TransportFailure = {
  reason: "the proxy asks for a user and a password (HTTP 407): check the URL of the proxy",
  sent: false
}

/** What an error says that proves that nothing was sent (`syscall code message`), and what to say then. */
const unsent: ReadonlyArray<readonly [pattern: RegExp, reason?: string]> = [
  [/\(407\)/, proxyAuthentication.reason],
  [/HTTP Tunneling/, "the proxy refused to connect"],
  // OpenSSL's verification results and Node's own. An alert (ERR_SSL_…) about a certificate can come after the request.
  [
    /^\S* (?!ERR_SSL)(\S*_)?(CERT|LEAF)(?![A-Z])/,
    "the server's certificate was rejected (%): check the host and the clock, or trust its CA with NODE_EXTRA_CA_CERTS"
  ],
  // What TLS reports before the handshake has ended.
  [
    /before secure TLS|wrong.version|packet.length|alert.(protocol|handshake)/i,
    "the TLS handshake failed: does the port speak https?"
  ],
  [/ ECONNREFUSED/, "connection refused"],
  [/ (ENOTFOUND|EAI_)/, "host not found"],
  // A look-up is `getaddrinfo`, `queryA` or another query.
  [/^(connect|getaddrinfo|query| UND_ERR_(CONNECT_TIMEOUT|INVALID_ARG))/]
]

const unexplained = "the connection failed"

const maxDepth = 8

/**
 * Decides by what happened: nothing was sent if an error in the chain of causes says so, or all errors of an
 * `AggregateError`, one for each address of the host. What is not certain counts as sent.
 */
export const diagnoseCause = (cause: unknown, depth = 0): TransportFailure => {
  if (Predicate.isString(cause)) return { reason: `${unexplained}: ${cause}`, sent: true }
  if (!Predicate.isRecord(cause) || depth === maxDepth) return { reason: unexplained, sent: true }
  const [syscall = "", code = "", name = "", message = ""] = ["syscall", "code", "name", "message"].map((field) =>
    Predicate.isString(cause[field]) ? cause[field] : ""
  )
  const own = `${unexplained}${code && ` (${code})`}${message && !message.includes(code || "\0") ? `: ${name}: ${message}` : ""}`
  const known = unsent.find(([pattern]) => pattern.test(`${syscall} ${code} ${message}`))
  if (known !== undefined) return { reason: known[1]?.replace("%", code) ?? own, sent: false }
  const errors: ReadonlyArray<unknown> = Array.isArray(cause["errors"]) ? cause["errors"] : [cause["cause"]]
  const diagnoses = errors.map((error) => diagnoseCause(error, depth + 1))
  return {
    reason: diagnoses.map(({ reason }) => reason).find((reason) => reason !== unexplained) ?? own,
    sent: diagnoses.length === 0 || diagnoses.some(({ sent }) => sent)
  }
}

export const cutOff: TransportFailure = { reason: "the response was cut off", sent: true }

export const noResponseWithin = (timeout: Duration.Duration): TransportFailure => ({
  reason: `no response within ${Duration.format(timeout)}`,
  sent: true
})

/** The error holds the request with its Authorization header, so only its reason may be shown. */
export const diagnose = (error: HttpClientError | BodyFailure): TransportFailure => {
  if (error._tag === "BodyFailure") return { reason: error.reason, sent: true }
  if (error._tag === "ResponseError") return cutOff
  return error.reason === "Transport"
    ? diagnoseCause(error.cause)
    : { reason: "the request could not be made: check the URL", sent: false }
}
