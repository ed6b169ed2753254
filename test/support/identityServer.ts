import * as HttpClient from "@effect/platform/HttpClient"
import { RequestError, ResponseError } from "@effect/platform/HttpClientError"
import { Effect } from "effect"
import { makeResponse } from "./response.js"
import type { VirtualTime } from "./controlledTime.js"

/** The fault of one request. With "after", the server processes the request before the fault. */
export const faults = [
  "503",
  "HTML",
  "dropped before",
  "dropped after",
  "silence before",
  "silence after",
  "cut short after",
  "429 for a minute",
  "QUOTA_EXCEEDED",
  "USER_DISABLED"
] as const

export type Fault = (typeof faults)[number]

/** `keep` returns the same refresh token, `omit` returns none, and `rotate` replaces it and revokes the old one. */
export type Rotation = "keep" | "omit" | "rotate"

interface Account {
  readonly id: string
  /** Whether no client can hold a valid refresh token of the account, without a mistake of the client. */
  isLost: boolean
}

interface IdToken {
  readonly requestedAt: number
  isAccepted: boolean
}

interface Reply {
  readonly status: number
  readonly body: unknown
  readonly headers?: Record<string, string>
  /** Called when the client has read the whole reply. */
  readonly read?: () => void
}

export const tokenLife = 3_600_000

const timeout = 10_000
const latency = Effect.sleep(1_000)

const silence = Effect.async<never>(() => undefined)

const refusal = (message: string, status = 400): Reply => ({ status, body: { error: { code: status, message } } })

/**
 * A model of the sign-up and refresh services. A request takes a second to arrive, and so does its response. The model
 * calls `violation` if a client breaks a rule.
 */
export const identityServer = (time: VirtualTime, violation: (what: string) => void) => {
  const accounts: Array<Account> = []
  const accountByRefreshToken = new Map<string, Account>()
  const idTokens = new Map<string, IdToken>()
  const cooldownEnds = new Map<number, number>()
  const pendingFaults: Array<Fault> = []
  let rotation: Rotation = "keep"
  let inFlight = 0
  let issued = 0

  const issueIdToken = (requestedAt: number) => {
    issued += 1
    const idToken = `id-${String(issued)}`
    idTokens.set(idToken, { requestedAt, isAccepted: true })
    return idToken
  }

  const issueRefreshToken = (account: Account) => {
    issued += 1
    const refreshToken = `refresh-${String(issued)}`
    accountByRefreshToken.set(refreshToken, account)
    // The account is lost until the client has received this token.
    account.isLost = true
    return refreshToken
  }

  const deliver = (account: Account, refreshToken: string, body: unknown): Reply => ({
    status: 200,
    body,
    read: () => {
      account.isLost = accountByRefreshToken.get(refreshToken) !== account
    }
  })

  const signUp = (requestedAt: number): Reply => {
    const account = { id: `account-${String(accounts.length)}`, isLost: false }
    accounts.push(account)
    const refreshToken = issueRefreshToken(account)
    return deliver(account, refreshToken, {
      localId: account.id,
      idToken: issueIdToken(requestedAt),
      refreshToken,
      expiresIn: "3600"
    })
  }

  const refresh = (requestedAt: number, old: string): Reply => {
    const account = accountByRefreshToken.get(old)
    if (account === undefined) return refusal("INVALID_REFRESH_TOKEN")
    const body = { id_token: issueIdToken(requestedAt), expires_in: "3600", user_id: account.id }
    if (rotation === "omit") return { status: 200, body }
    if (rotation === "keep") return { status: 200, body: { ...body, refresh_token: old } }
    accountByRefreshToken.delete(old)
    const refreshToken = issueRefreshToken(account)
    return deliver(account, refreshToken, { ...body, refresh_token: refreshToken })
  }

  const startCooldown = (process: number, millis: number) => () => {
    cooldownEnds.set(process, time.elapsed() + millis)
  }

  const respond = (process: number, fault: Fault | undefined, handle: () => Reply): Reply => {
    switch (fault) {
      case "503":
        return { status: 503, body: "" }
      case "HTML":
        return { status: 200, body: "<h1>Welcome to the hotel</h1>" }
      case "429 for a minute":
        return { status: 429, body: "", headers: { "retry-after": "60" }, read: startCooldown(process, 60_000) }
      case "QUOTA_EXCEEDED":
        return { ...refusal("QUOTA_EXCEEDED : slow down"), read: startCooldown(process, 5_000) }
      case "USER_DISABLED":
        return refusal("USER_DISABLED")
      default:
        return handle()
    }
  }

  const watch = (process: number, kind: "sign-up" | "refresh") => {
    if (inFlight > 0) violation(`a ${kind} while another request is in flight`)
    if (time.elapsed() < (cooldownEnds.get(process) ?? 0) - 2) violation(`a ${kind} during the server's cooldown`)
    const alive = accounts.find(({ isLost }) => !isLost)
    if (kind === "sign-up" && alive !== undefined) violation(`a sign-up although the session of ${alive.id} is good`)
  }

  const client = (process: number): HttpClient.HttpClient =>
    HttpClient.make((request, url) =>
      Effect.gen(function* () {
        const old =
          url.pathname.endsWith("/token") && request.body._tag === "Uint8Array" ? request.body.body : undefined
        watch(process, old === undefined ? "sign-up" : "refresh")
        inFlight += 1
        const sentAt = time.elapsed()
        const requestedAt = time.wall()
        const fault = pendingFaults.shift()
        const dropped = new RequestError({ request, reason: "Transport" })

        yield* latency
        if (fault === "dropped before") return yield* dropped
        if (fault === "silence before") return yield* silence
        const reply = respond(process, fault, () =>
          old === undefined
            ? signUp(requestedAt)
            : refresh(requestedAt, new URLSearchParams(new TextDecoder().decode(old)).get("refresh_token") ?? "")
        )
        const isReading = Effect.gen(function* () {
          if (fault === "silence after") return yield* silence
          yield* latency
          if (fault === "dropped after") return yield* dropped
        })
        // A client that aborts while the response is on its way loses its content through its own mistake.
        yield* Effect.onInterrupt(isReading, () =>
          Effect.sync(() => {
            if (reply.status === 200 && time.elapsed() < sentAt + timeout) reply.read?.()
          })
        )
        const text = typeof reply.body === "string" ? reply.body : JSON.stringify(reply.body)
        const response = makeResponse(
          request,
          reply,
          Effect.suspend(() => {
            if (fault === "cut short after") return new ResponseError({ request, response, reason: "Decode" })
            reply.read?.()
            return Effect.succeed(text)
          })
        )
        return response
      }).pipe(Effect.ensuring(Effect.sync(() => (inFlight -= 1))))
    )

  return {
    client,
    /** The wall-clock time at which a token was requested. Undefined if it was never issued. */
    requestedAt: (idToken: string) => idTokens.get(idToken)?.requestedAt,
    accepts: (idToken: string) => idTokens.get(idToken)?.isAccepted ?? false,
    inject: (fault: Fault, times: number) => pendingFaults.push(...Array.from({ length: times }, () => fault)),
    heal: () => pendingFaults.splice(0),
    rotate: (how: Rotation) => {
      rotation = how
    },
    expireIdTokens: () => {
      for (const idToken of idTokens.values()) idToken.isAccepted = false
    },
    forgetSessions: () => {
      accountByRefreshToken.clear()
      for (const account of accounts) account.isLost = true
    },
    /** The client signs out. */
    abandonSessions: () => {
      for (const account of accounts) account.isLost = true
    }
  }
}
