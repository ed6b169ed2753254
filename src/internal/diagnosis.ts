import type { HttpClientError } from "@effect/platform/HttpClientError"
import * as Predicate from "effect/Predicate"
import type { TransportError } from "../ArtaError.js"
import type { BodyFailure } from "./body.js"
import type { Secrets } from "./serviceText.js"
import { presentable } from "./serviceText.js"

/** Why no response arrived, and whether any byte of the request may have been written to a connection. */
type Diagnosis = Pick<TransportError, "reason" | "sent">

const checkUrl = "check the URL"
const checkCertificate = "check the host and the clock, or trust its CA with NODE_EXTRA_CA_CERTS"
const checkProxy = "add them to the URL of the proxy"

/** Whether a retry cannot help. */
export const isPermanent = ({ reason }: TransportError): boolean =>
  [checkUrl, checkCertificate, checkProxy].some((advice) => reason.endsWith(advice))

export const proxyAuthentication: Diagnosis = {
  reason: `the proxy asks for a user and a password (HTTP 407): ${checkProxy}`,
  sent: false
}

const unexplained = "the connection failed"

const reasonByCode: Record<string, string> = {
  ECONNREFUSED: "connection refused",
  ENOTFOUND: "host not found",
  EAI_AGAIN: "host not found",
  EAI_FAIL: "host not found",
  EHOSTUNREACH: "host unreachable",
  ENETUNREACH: "network unreachable",
  ETIMEDOUT: "the connection timed out",
  UND_ERR_CONNECT_TIMEOUT: "the connection timed out",
  UND_ERR_INVALID_ARG: "the request could not be made"
}

// The names of OpenSSL's verification results, and Node's own. An alert (ERR_SSL_…) can come after the request.
const certificateCode =
  /^(CERT_|CRL_|ERR_TLS_CERT_|UNABLE_TO_(GET|DECRYPT|DECODE|VERIFY)_|ERROR_IN_C|DEPTH_ZERO_|SELF_SIGNED_|(HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED|UND_ERR_PRX_TLS)$)/

// What TLS reports before a handshake has ended. Other alerts, such as "certificate required", can come after it.
const isHandshakeFailure = (code: string, message: string): boolean =>
  /^(EPROTO$|ERR_SSL_)/.test(code) &&
  /(wrong version number|packet length too long|alert (protocol version|handshake failure|no application protocol|insufficient security)|unrecognized name|(unsupported|unknown) protocol|no protocols available|key too small)/i.test(
    `${code} ${message}`.replaceAll("_", " ")
  )

const isBeforeConnected = (code: string, syscall: unknown): boolean =>
  // A look-up is `getaddrinfo`, or the query of a record, such as `queryA`.
  (typeof syscall === "string" && /^(connect|getaddrinfo|query)/.test(syscall)) ||
  (syscall === undefined && /^(ECONNREFUSED|ENOTFOUND|EAI_\w+|UND_ERR_CONNECT_TIMEOUT|UND_ERR_INVALID_ARG)$/.test(code))

type Fields = Readonly<Record<"name" | "code" | "message", string>>

const fieldsOf = (cause: Readonly<Record<PropertyKey, unknown>>): Fields => {
  const text = (field: string) => (Predicate.isString(cause[field]) ? cause[field] : "")
  return { name: text("name"), code: text("code"), message: text("message") }
}

/** The diagnosis if this error proves that nothing was sent. */
const unsent = ({ code, message }: Fields, syscall: unknown): Diagnosis | undefined => {
  const unsent = (reason: string) => ({ reason, sent: false })
  if (/Proxy .*\(407\)/.test(message)) return proxyAuthentication
  if (message.includes("HTTP Tunneling")) return unsent("the proxy refused to connect")
  if (certificateCode.test(code))
    return unsent(`the certificate of the server was rejected (${code}): ${checkCertificate}`)
  if (isHandshakeFailure(code, message)) return unsent("the TLS handshake failed: the port may not speak https")
  if (message.includes("before secure TLS connection was established")) {
    return unsent("the connection was closed in the TLS handshake")
  }
  return isBeforeConnected(code, syscall)
    ? unsent(reasonByCode[code] ?? `${unexplained}${code && ` (${code})`}`)
    : undefined
}

const unforeseen = ({ code, message, name }: Fields): string => {
  const what = `${unexplained}${code && ` (${code})`}`
  const text = [name, message].filter((part) => part !== "").join(": ")
  return message === "" || (code !== "" && message.includes(code)) ? what : `${what}: ${text}`
}

const maxDepth = 8

/**
 * Decides by what happened: nothing was sent if an error in the chain of causes says so, or all errors of an
 * `AggregateError`, one for each address of the host. What is not certain counts as sent.
 */
const diagnoseCause = (cause: unknown, depth = 0): Diagnosis => {
  if (Predicate.isString(cause)) return { reason: `${unexplained}: ${cause}`, sent: true }
  if (!Predicate.isRecord(cause) || depth === maxDepth) return { reason: unexplained, sent: true }
  const fields = fieldsOf(cause)
  const own = unsent(fields, cause["syscall"])
  if (own !== undefined) return own
  const errors: ReadonlyArray<unknown> = Array.isArray(cause["errors"]) ? cause["errors"] : [cause["cause"]]
  const diagnoses = errors.map((error) => diagnoseCause(error, depth + 1))
  const [reason = unexplained] = diagnoses.map(({ reason }) => reason).filter((reason) => reason !== unexplained)
  return {
    reason: reason === unexplained ? unforeseen(fields) : reason,
    sent: diagnoses.length === 0 || diagnoses.some(({ sent }) => sent)
  }
}

export const unusableUrl = `the request could not be made: ${checkUrl}`

/** The error holds the request with its Authorization header, so only its reason may be shown. */
export const diagnose = (error: HttpClientError | BodyFailure, secrets: Secrets = []): Diagnosis => {
  if (error._tag === "BodyFailure") return { reason: error.reason, sent: true }
  if (error._tag === "ResponseError") return { reason: "the response was cut off", sent: true }
  if (error.reason !== "Transport") return { reason: unusableUrl, sent: false }
  const { reason, sent } = diagnoseCause(error.cause)
  return { reason: presentable(reason, secrets, 300), sent }
}
