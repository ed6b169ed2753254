import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpMiddleware from "@effect/platform/HttpMiddleware"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { createHash, timingSafeEqual } from "node:crypto"
import { ApiError, badRequest, toResponse } from "./apiError.js"

const digest = (text: string): Buffer => createHash("sha256").update(text).digest()

const bearer = ({ headers }: HttpServerRequest.HttpServerRequest): string =>
  /^bearer +(.*)$/i.exec(headers["authorization"] ?? "")?.[1]?.trim() ?? ""

const wrongKey = new ApiError({
  status: 401,
  message: "The API key is missing or wrong: send the key of this server as Authorization: Bearer KEY.",
  type: "authentication_error",
  code: "invalid_api_key"
})

/** Compares the key of a request in constant time, whatever its length. */
export const checkKey = (
  key: Redacted.Redacted | undefined
): Effect.Effect<void, ApiError, HttpServerRequest.HttpServerRequest> => {
  if (key === undefined) return Effect.void
  const expected = digest(Redacted.value(key))
  return Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
    timingSafeEqual(digest(bearer(request)), expected) ? Effect.void : wrongKey
  )
}

const isLoopback = (name: string): boolean =>
  /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|\[::1\]|host\.docker\.internal)$/i.test(name)

const hostName = (host: string): string => host.replace(/:\d*$/, "")

const wrongHost = badRequest(
  "This server accepts only requests for a name of this machine. " +
    "A proxy in front of it must send the header Host: localhost. To serve other machines, choose another host.",
  undefined,
  403,
  "host_not_allowed"
)

const wrongOrigin = badRequest(
  "Pages of this origin may not use the server: allow the origin with --cors, or the option cors.",
  undefined,
  403,
  "origin_not_allowed"
)

export interface GuardOptions {
  /** Whether only this machine can reach the server: then a name that a page made resolve to it is refused. */
  readonly isLocal: boolean
  readonly cors: "*" | ReadonlyArray<string>
}

/** Refuses requests that a web page sends without leave. */
export const guard =
  ({ cors, isLocal }: GuardOptions) =>
  <E, R>(app: HttpApp.Default<E, R>): HttpApp.Default<E, R> => {
    const isAllowed = (origin: string): boolean => cors === "*" || cors.includes(origin)
    const withCors = HttpMiddleware.cors({
      allowedOrigins: cors === "*" ? [] : isAllowed,
      exposedHeaders: ["retry-after", "x-request-id"],
      maxAge: 600
    })
    return Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ headers }) => {
      const { host = "", origin } = headers
      if (isLocal && !isLoopback(hostName(host))) return Effect.succeed(toResponse(wrongHost))
      if (origin === undefined || origin === `http://${host}` || origin === `https://${host}`) return app
      return isAllowed(origin) ? withCors(app) : Effect.succeed(toResponse(wrongOrigin))
    })
  }
