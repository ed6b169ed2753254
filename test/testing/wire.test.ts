import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Random } from "effect"
import { ArtaEmulator } from "effect-arta/testing"
import { emulatorOnPort } from "../support/emulatorOnPort.js"
import {
  address,
  field,
  form,
  get,
  identityReply,
  refresh,
  refreshWith,
  reply,
  signUp,
  status,
  submit
} from "../support/emulatorWire.js"

const id = (prefix: string): unknown => expect.stringMatching(new RegExp(`^${prefix}-[0-9a-f]{24}$`))

describe("the emulator's sign-up, on the wire", () => {
  it.live("returns the fields of the real service", () =>
    Effect.gen(function* () {
      expect(yield* signUp()).toEqual(
        reply(200, {
          kind: "identitytoolkit#SignupNewUserResponse",
          localId: id("account"),
          idToken: id("id-token"),
          refreshToken: id("refresh-token"),
          expiresIn: "3600"
        })
      )
    }).pipe(Effect.provide(emulatorOnPort()))
  )

  it.live("has ids of one length, for small random numbers too", () =>
    Effect.gen(function* () {
      const { body } = yield* signUp()
      expect(body).toMatchObject({ localId: "account-000000010000000200000003" })
    }).pipe(Effect.provide(Layer.provide(emulatorOnPort(), Layer.setRandom(Random.fixed([1, 2, 3])))))
  )

  it.live("counts a request to the newer path as a sign-up", () =>
    Effect.gen(function* () {
      const url = yield* address("/v1/accounts:signUp?key=k")
      const response = yield* Effect.promise(() => fetch(url, { method: "POST" }))
      expect(response.status).toBe(200)
      const emulator = yield* ArtaEmulator.ArtaEmulator
      expect(yield* emulator.counts).toEqual({ signUp: 1, refresh: 0, submit: 0, status: 0, image: 0 })
    }).pipe(Effect.provide(emulatorOnPort()))
  )

  it.live.each(["", "?key="])("refuses a request without a key: `%s`", (query) =>
    Effect.gen(function* () {
      expect(yield* signUp(query)).toEqual(
        identityReply(403, "The request is missing a valid API key.", "forbidden", "PERMISSION_DENIED")
      )
    }).pipe(Effect.provide(emulatorOnPort()))
  )

  it.live("refuses a wrong key", () =>
    Effect.gen(function* () {
      expect(yield* signUp("?key=bad")).toEqual(identityReply(400, "API key not valid. Please pass a valid API key."))
    }).pipe(Effect.provide(emulatorOnPort({ apiKeys: ["good", "other"] })))
  )
})

describe("the emulator's refresh, on the wire", () => {
  it.live("returns the fields of the real service and keeps the refresh token", () =>
    Effect.gen(function* () {
      const session = yield* signUp()
      const refreshToken = field(session, "refreshToken")
      const response = yield* refreshWith(refreshToken)
      const idToken = field(response, "id_token")
      expect(response).toEqual(
        reply(200, {
          id_token: id("id-token"),
          access_token: idToken,
          expires_in: "3600",
          refresh_token: refreshToken,
          token_type: "Bearer",
          user_id: field(session, "localId"),
          project_id: "1"
        })
      )
      expect(idToken).not.toBe(field(session, "idToken"))
      expect(yield* refreshWith(refreshToken)).toMatchObject({ status: 200 })
      const emulator = yield* ArtaEmulator.ArtaEmulator
      expect(yield* emulator.counts).toEqual({ signUp: 1, refresh: 2, submit: 0, status: 0, image: 0 })
    }).pipe(Effect.provide(emulatorOnPort()))
  )

  it.live("replaces the refresh token if `rotateRefreshTokens` is on", () =>
    Effect.gen(function* () {
      const first = field(yield* signUp(), "refreshToken")
      const second = field(yield* refreshWith(first), "refresh_token")
      expect(second).toMatch(/^refresh-token-[0-9a-f]{24}$/)
      expect(yield* refreshWith(first)).toEqual(identityReply(400, "INVALID_REFRESH_TOKEN"))
      expect(yield* refreshWith(second)).toMatchObject({ status: 200 })
    }).pipe(Effect.provide(emulatorOnPort({ rotateRefreshTokens: true })))
  )

  it.live("explains each refusal with its code", () =>
    Effect.gen(function* () {
      const refreshToken = field(yield* signUp(), "refreshToken")
      const grant = { grant_type: "refresh_token" }
      expect(yield* refresh({})).toEqual(identityReply(400, "MISSING_GRANT_TYPE"))
      expect(yield* refresh({ grant_type: "password" })).toEqual(identityReply(400, "INVALID_GRANT_TYPE"))
      expect(yield* refresh(grant)).toEqual(identityReply(400, "MISSING_REFRESH_TOKEN"))
      expect(yield* refreshWith("unknown")).toEqual(identityReply(400, "INVALID_REFRESH_TOKEN"))
      expect(yield* refresh({ ...grant, refresh_token: refreshToken }, "other")).toEqual(
        identityReply(400, "PROJECT_NUMBER_MISMATCH")
      )
    }).pipe(Effect.provide(emulatorOnPort()))
  )
})

const unauthorized = reply(401, { detail: "Invalid or expired token" })

describe("the emulator's tokens, on the wire", () => {
  it.live("are required", () =>
    Effect.gen(function* () {
      expect(yield* submit(undefined)).toEqual(unauthorized)
      expect(yield* status("", "record-1")).toEqual(unauthorized)
    }).pipe(Effect.provide(emulatorOnPort()))
  )

  it.live("expire after `tokenLife`", () =>
    Effect.gen(function* () {
      const session = yield* signUp()
      expect(session.body).toMatchObject({ expiresIn: "0" })
      expect(yield* submit(field(session, "idToken"))).toEqual(unauthorized)
    }).pipe(Effect.provide(emulatorOnPort({ tokenLife: 0 })))
  )

  it.live("expire early with `expireTokens`, and a refresh returns a valid one", () =>
    Effect.gen(function* () {
      const session = yield* signUp()
      const idToken = field(session, "idToken")
      expect(yield* submit(idToken)).toMatchObject({ status: 200 })
      const emulator = yield* ArtaEmulator.ArtaEmulator
      yield* emulator.expireTokens
      expect(yield* submit(idToken)).toEqual(unauthorized)
      const refreshed = yield* refreshWith(field(session, "refreshToken"))
      expect(yield* submit(field(refreshed, "id_token"))).toMatchObject({ status: 200 })
    }).pipe(Effect.provide(emulatorOnPort()))
  )
})

describe("the emulator's generations, on the wire", () => {
  const idToken = Effect.map(signUp(), (session) => field(session, "idToken"))

  it.live("start in the queue", () =>
    Effect.gen(function* () {
      const token = yield* idToken
      const submitted = yield* submit(token)
      const queued = { record_id: id("record"), status: "IN_QUEUE", response: [], detail: null }
      expect(submitted).toEqual(reply(200, queued))
      const recordId = field(submitted, "record_id")
      expect(yield* status(token, recordId)).toEqual(reply(200, { ...queued, record_id: recordId }))
      const emulator = yield* ArtaEmulator.ArtaEmulator
      expect(yield* emulator.counts).toEqual({ signUp: 1, refresh: 0, submit: 1, status: 1, image: 0 })
    }).pipe(Effect.provide(emulatorOnPort({ queueTime: "1 hour", drawTime: "1 hour" })))
  )

  it.live("are in progress after the queue", () =>
    Effect.gen(function* () {
      const token = yield* idToken
      const recordId = field(yield* submit(token), "record_id")
      expect(yield* status(token, recordId)).toEqual(
        reply(200, { record_id: recordId, status: "IN_PROGRESS", response: [], detail: null })
      )
    }).pipe(Effect.provide(emulatorOnPort({ queueTime: 0, drawTime: "1 hour" })))
  )

  it.live("end with one URL for each image, and no image beyond them", () =>
    Effect.gen(function* () {
      const token = yield* idToken
      const recordId = field(yield* submit(token), "record_id")
      const urls = yield* Effect.forEach([0, 1], (index) => address(`/images/${recordId}/${String(index)}.png`))
      expect(yield* status(token, recordId)).toEqual(
        reply(200, { record_id: recordId, status: "DONE", response: urls.map((url) => ({ url })), detail: null })
      )
      const page = { status: 404, type: "text/html", retryAfter: null, body: "<h1>404 Not Found</h1>" }
      for (const file of ["2.png", "3.png", "first.png"])
        expect(yield* get(`/images/${recordId}/${file}`)).toEqual(page)
      expect(yield* get("/images/record-1/0.png")).toEqual(page)
      for (const file of ["0.png", "1.png"])
        expect(yield* get(`/images/${recordId}/${file}`)).toMatchObject({ status: 200, type: "image/png" })
      const emulator = yield* ArtaEmulator.ArtaEmulator
      expect(yield* emulator.counts).toMatchObject({ submit: 1, status: 1, image: 6 })
    }).pipe(Effect.provide(emulatorOnPort({ queueTime: 0, drawTime: 0 })))
  )

  it.live("are refused with the field and the reason", () =>
    Effect.gen(function* () {
      const token = yield* idToken
      expect(yield* submit(token, { ...form, prompt: " " })).toEqual(
        reply(422, {
          detail: [{ loc: ["body", "prompt"], msg: "ensure this value is not blank", type: "value_error" }]
        })
      )
      const several = yield* submit(token, {
        ...form,
        steps: "many",
        images_num: "0",
        aspect_ratio: "wide",
        seed: "-1"
      })
      const reason: unknown = expect.any(String)
      const issue = (name: string) => ({ loc: ["body", name], msg: reason, type: "value_error" })
      expect(several).toEqual(
        reply(422, { detail: [issue("images_num"), issue("steps"), issue("aspect_ratio"), issue("seed")] })
      )
    }).pipe(Effect.provide(emulatorOnPort()))
  )

  it.live("are unknown under other ids and paths", () =>
    Effect.gen(function* () {
      expect(yield* status(yield* idToken, "record-1")).toEqual(reply(404, { detail: "Record not found" }))
      expect(yield* get("/elsewhere")).toEqual(reply(404, { detail: "Not Found" }))
    }).pipe(Effect.provide(emulatorOnPort()))
  )
})
