import * as UrlParams from "@effect/platform/UrlParams"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { RateLimitedError } from "../../ArtaError.js"
import { AuthError, AuthReason, ResponseError, TransportError } from "../../ArtaError.js"
import { Credentials } from "../../Credentials.js"
import type { BufferedResponse } from "../transport.js"
import { explained, withReason } from "../explanation.js"
import { decodeJson, exchange, isRateLimit, PermanentError, rateLimited } from "../http.js"
import { renewals } from "../metrics.js"
import { annotateAttempt } from "../retry.js"
import type { Secrets } from "../serviceText.js"
import { presentable } from "../serviceText.js"
import { Seconds, SignedUp } from "../signUpResponse.js"
import type { Transport } from "../transport.js"

export interface Options {
  readonly apiKey: Redacted.Redacted
  readonly signUpUrl: string
  readonly tokenUrl: string
}

export type IdentityError = AuthError | ResponseError | RateLimitedError | TransportError

/** The two requests of the identity services. Neither is retried here. */
export interface Identity {
  readonly signUp: Effect.Effect<Credentials, IdentityError>
  readonly refresh: (credentials: Credentials) => Effect.Effect<Credentials, IdentityError>
}

type Operation = "signUp" | "refresh"

const timeout = Duration.seconds(10)

const Refreshed = Schema.Struct({
  id_token: Credentials.fields.idToken,
  refresh_token: Schema.optional(Credentials.fields.refreshToken),
  expires_in: Seconds
})

const isAuthReason = Schema.is(AuthReason)

const readErrorBody = decodeJson(Schema.Struct({ error: Schema.Struct({ message: Schema.String }) }))

const keyMessages: ReadonlyArray<readonly [RegExp, AuthReason]> = [
  [/API key (has )?expired|API_KEY_EXPIRED/i, "API_KEY_EXPIRED"],
  [/API key not|API_KEY_INVALID/i, "API_KEY_INVALID"],
  [/missing a valid API key/i, "API_KEY_MISSING"]
]

/** Google reports what is wrong with a key in several formats, and only one has a code: the whole body is searched. */
const authReason = (message: string, { text }: BufferedResponse): AuthReason | undefined => {
  const code = message.split(" : ", 1)[0]
  return isAuthReason(code) ? code : keyMessages.find(([pattern]) => pattern.test(text))?.[1]
}

const rateLimitCode = /^(TOO_MANY_ATTEMPTS_TRY_LATER|QUOTA_EXCEEDED)\b/

/**
 * A response that tells nothing of the session. Its reason includes what the service says. A sign-up that succeeded may
 * have created an account, so repeating it may create a second one.
 */
const unusable = (operation: Operation, response: BufferedResponse): TransportError => {
  const reason = withReason(`an unusable response (HTTP ${String(response.status)})`, explained(response))
  const fields = { operation, reason, sent: true }
  return operation === "signUp" && response.status < 300 ? new PermanentError(fields) : new TransportError(fields)
}

const failWithIdentityError = (
  operation: Operation,
  response: BufferedResponse
): Effect.Effect<never, IdentityError> => {
  const message = Option.match(readErrorBody(response), { onNone: () => "", onSome: ({ error }) => error.message })
  if (isRateLimit(response) || rateLimitCode.test(message)) {
    return rateLimited(operation, response, explained(response))
  }
  if (response.status >= 500) return unusable(operation, response)
  const reason = authReason(message, response)
  if (reason !== undefined) return new AuthError({ reason })
  return message === ""
    ? unusable(operation, response)
    : new ResponseError({ operation, status: response.status, detail: presentable(message, response.secrets) })
}

export const make = (transport: typeof Transport.Service, options: Options): Identity => {
  const query = UrlParams.toString([["key", Redacted.value(options.apiKey)]])

  const send = <A, I>(
    operation: Operation,
    schema: Schema.Schema<A, I>,
    secrets: Secrets,
    { body, contentType, url }: { readonly url: string; readonly contentType: string; readonly body: string }
  ): Effect.Effect<A & { readonly issuedAt: number }, IdentityError> =>
    Effect.gen(function* () {
      yield* annotateAttempt
      yield* Metric.increment(Metric.tagged(renewals, "operation", operation))
      const issuedAt = yield* Clock.currentTimeMillis
      const response = yield* exchange(
        transport,
        operation,
        {
          method: "POST",
          url: `${url}?${query}`,
          headers: { "content-type": contentType },
          body,
          timeout,
          maxMebibytes: 1
        },
        secrets
      )
      if (response.status !== 200) return yield* failWithIdentityError(operation, response)
      const credentials = yield* Effect.mapError(decodeJson(schema)(response), () => unusable(operation, response))
      return { ...credentials, issuedAt }
    }).pipe(Effect.withSpan(`Auth.${operation}`))

  return {
    signUp: Effect.map(
      send(
        "signUp",
        SignedUp,
        [options.apiKey],
        // The older endpoint reads `clientType`, the newer one `returnSecureToken`.
        {
          url: options.signUpUrl,
          contentType: "application/json",
          body: JSON.stringify({ clientType: "CLIENT_TYPE_ANDROID", returnSecureToken: true })
        }
      ),
      (signedUp) =>
        new Credentials({
          ...signedUp,
          localId: presentable(signedUp.localId, [options.apiKey, signedUp.idToken, signedUp.refreshToken]),
          signedUpAt: signedUp.issuedAt
        })
    ),

    refresh: (credentials) =>
      Effect.map(
        send("refresh", Refreshed, [options.apiKey, credentials.idToken, credentials.refreshToken], {
          url: options.tokenUrl,
          contentType: "application/x-www-form-urlencoded",
          body: UrlParams.toString([
            ["grant_type", "refresh_token"],
            ["refresh_token", Redacted.value(credentials.refreshToken)]
          ])
        }),
        ({ expires_in, id_token, issuedAt, refresh_token = credentials.refreshToken }) =>
          new Credentials({
            localId: credentials.localId,
            signedUpAt: credentials.signedUpAt,
            idToken: id_token,
            refreshToken: refresh_token,
            issuedAt,
            expiresIn: expires_in
          })
      )
  }
}
