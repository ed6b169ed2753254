import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Account, State } from "./state.js"
import { freshId } from "./state.js"

export interface IdentityOptions {
  readonly apiKeys: ReadonlyArray<string> | undefined
  readonly tokenLife: Duration.Duration
  readonly rotateRefreshTokens: boolean
}

const errorResponse = (code: number, message: string, reason = "invalid", status?: string) =>
  HttpServerResponse.unsafeJson(
    { error: { code, message, errors: [{ message, reason, domain: "global" }], status } },
    { status: code }
  )

const searchParams = (request: HttpServerRequest.HttpServerRequest) =>
  new URL(request.url, "http://localhost").searchParams

/** Anonymous sign-up and token refresh. Responds like Google Identity Toolkit and Secure Token. */
export const identityRoutes = (state: State, options: IdentityOptions) => {
  const expiresIn = String(Math.floor(Duration.toSeconds(options.tokenLife)))

  const issueIdToken = Effect.gen(function* () {
    const idToken = yield* freshId("id-token")
    const now = yield* Clock.currentTimeMillis
    state.expiryByIdToken.set(idToken, now + Duration.toMillis(options.tokenLife))
    return idToken
  })

  const issueRefreshToken = (account: Account) =>
    Effect.tap(freshId("refresh-token"), (refreshToken) => Effect.sync(() => state.accounts.set(refreshToken, account)))

  const withKey = <E, R>(
    handler: (
      apiKey: string,
      request: HttpServerRequest.HttpServerRequest
    ) => Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>
  ) =>
    Effect.gen(function* () {
      const request = yield* HttpServerRequest.HttpServerRequest
      const apiKey = searchParams(request).get("key") ?? ""
      if (apiKey === "")
        return errorResponse(403, "The request is missing a valid API key.", "forbidden", "PERMISSION_DENIED")
      return options.apiKeys === undefined || options.apiKeys.includes(apiKey)
        ? yield* handler(apiKey, request)
        : errorResponse(400, "API key not valid. Please pass a valid API key.")
    })

  const signUp = withKey((apiKey) =>
    Effect.gen(function* () {
      const localId = yield* freshId("account")
      const refreshToken = yield* issueRefreshToken({ localId, apiKey })
      const idToken = yield* issueIdToken
      return HttpServerResponse.unsafeJson({
        kind: "identitytoolkit#SignupNewUserResponse",
        localId,
        idToken,
        refreshToken,
        expiresIn
      })
    })
  )

  const refresh = withKey((apiKey, request) =>
    Effect.gen(function* () {
      const form = new URLSearchParams(yield* request.text)
      const grantType = form.get("grant_type") ?? ""
      const oldRefreshToken = form.get("refresh_token") ?? ""
      const account = state.accounts.get(oldRefreshToken)
      if (grantType === "") return errorResponse(400, "MISSING_GRANT_TYPE")
      if (grantType !== "refresh_token") return errorResponse(400, "INVALID_GRANT_TYPE")
      if (oldRefreshToken === "") return errorResponse(400, "MISSING_REFRESH_TOKEN")
      if (account === undefined) return errorResponse(400, "INVALID_REFRESH_TOKEN")
      if (account.apiKey !== apiKey) return errorResponse(400, "PROJECT_NUMBER_MISMATCH")

      const refreshToken = options.rotateRefreshTokens ? yield* issueRefreshToken(account) : oldRefreshToken
      if (refreshToken !== oldRefreshToken) state.accounts.delete(oldRefreshToken)
      const idToken = yield* issueIdToken
      return HttpServerResponse.unsafeJson({
        id_token: idToken,
        access_token: idToken,
        expires_in: expiresIn,
        refresh_token: refreshToken,
        token_type: "Bearer",
        user_id: account.localId,
        project_id: "1"
      })
    })
  )

  return { signUp, refresh }
}
