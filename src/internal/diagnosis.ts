import type { HttpClientError } from "@effect/platform/HttpClientError"
import * as Duration from "effect/Duration"
import * as Predicate from "effect/Predicate"
import type { BodyFailure } from "./body.js"
import { withReason } from "./explanation.js"
import type { Secrets } from "./serviceText.js"
import { presentable } from "./serviceText.js"
import type { TransportFailure } from "./transport.js"

/** The whole reason of a failure. Only what the library says itself needs no scrubbing. */
export const describe = ({ detail = "", reason }: TransportFailure, secrets: Secrets): string =>
  withReason(reason, presentable(detail, secrets, 300))

export const proxyAuthentication: TransportFailure = {
  reason: "the proxy asks for a user and a password (HTTP 407): check the URL of the proxy",
  sent: false,
  isPermanent: true
}

const notTls = "the server sent something other than TLS: does the port speak https?"

const permanent = { isPermanent: true }

type Known = readonly [pattern: RegExp, reason?: string, more?: Partial<TransportFailure>]

/**
 * What an error says that proves that nothing was sent (`syscall code message`), unless it counts as sent, and what to
 * say then. The first group of the pattern stands for `%`, and the second is the host.
 */
const known: ReadonlyArray<Known> = [
  [/\(407\)/, proxyAuthentication.reason, permanent],
  [/\((\d+)\).*HTTP Tunneling/, "the proxy refused to connect (HTTP %)"],
  // OpenSSL's verification results and Node's own. An alert (ERR_SSL_…) about a certificate can come after the request.
  [
    /^\S* ((?!ERR_SSL)(?:\S*_)?(?:CERT|LEAF|CRL)(?![A-Z])\S*|INVALID_(?:CA|PURPOSE)|PATH_LENGTH_EXCEEDED|HOSTNAME_MISMATCH|UNABLE_TO_\w+|UNSPECIFIED) /,
    "the server's certificate was rejected (%): check the host and the clock, or trust its CA with NODE_EXTRA_CA_CERTS",
    permanent
  ],
  // What TLS reports before the handshake has ended.
  [/before secure TLS/, "the TLS handshake failed: does the port speak https?"],
  [
    /alert.(protocol|handshake|insufficient)/i,
    "the server accepts no TLS version or cipher of this machine, or requires a client certificate",
    permanent
  ],
  [
    /(unrecognized.name|no.application.protocol|illegal.parameter)/i,
    "the server refused the TLS handshake (%): is the host right?"
  ],
  [/ bad port$/, "fetch blocks the port: check the URL", permanent],
  // These two can come at any time.
  [/^connect .*(wrong.version|packet.length)/i, notTls],
  [/wrong.version|packet.length/i, notTls, { sent: true }],
  [/ (ECONNREFUSED)(?:.* \1 (\S+))?/, "connection refused"],
  [/ (ENOTFOUND|EAI_\w+)(?:.* \1 (\S+))?/, "host not found"],
  // A look-up is `getaddrinfo`, `queryA` or another query.
  [/^(connect|getaddrinfo|query| UND_ERR_(CONNECT_TIMEOUT|INVALID_ARG))/]
]

const unexplained: TransportFailure = { reason: "the connection failed", sent: true }

const maxDepth = 8

/** The start of what a part of an error says: the patterns above are slow on long texts. */
const textOf = (value: unknown): string =>
  Predicate.isObject(value) || Predicate.isNullable(value) ? "" : String(value).slice(0, 2000)

/**
 * Decides by what happened: nothing was sent if an error in the chain of causes says so, or all errors of an
 * `AggregateError`, one for each address of the host. What is not certain counts as sent.
 */
export const diagnoseCause = (cause: unknown, depth = 0): TransportFailure => {
  if (!Predicate.isRecord(cause) || depth === maxDepth) return { ...unexplained, detail: textOf(cause) || undefined }
  const [name, message] = [textOf(cause["name"]) || textOf(cause["_tag"]), textOf(cause["message"])]
  // The name of a `DOMException` says more than its number.
  const code = Predicate.isString(cause["code"]) || name === "" ? textOf(cause["code"]) : ""
  const errors: ReadonlyArray<unknown> = Array.isArray(cause["errors"])
    ? cause["errors"]
    : [cause["cause"]].filter(Predicate.isObject)
  const diagnoses = errors.map((error) => diagnoseCause(error, depth + 1))
  const text = `${textOf(cause["syscall"])} ${code} ${message}`
  const [pattern, template, more] = known.find(([pattern]) => pattern.test(text)) ?? []
  if (template !== undefined) {
    const [, subject = "", host] = pattern?.exec(text) ?? []
    const reason = template.replace("%", subject)
    const detail = host ?? diagnoses.find((diagnosis) => diagnosis.reason === reason)?.detail
    return { reason, sent: false, ...more, detail }
  }
  const own = code === "" || message.includes(code) ? name : `${name} (${code})`.trim()
  // A cause that is a text has no name, so what it says follows.
  const said = [...new Set([own, message, textOf(cause["cause"])])].filter((part) => part !== "").join(": ")
  return {
    ...(diagnoses.find(({ detail, reason }) => detail !== undefined || reason !== unexplained.reason) ?? {
      ...unexplained,
      detail: said === "Error" || said === "" ? undefined : said
    }),
    sent: pattern === undefined && (diagnoses.length === 0 || diagnoses.some(({ sent }) => sent))
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
    : { reason: "the request could not be made: check the URL", sent: false, isPermanent: true }
}
