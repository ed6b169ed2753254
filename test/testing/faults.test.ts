import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { type ArtaEmulator, Fault } from "effect-arta/testing"
import { emulatorOnPort } from "../support/emulatorOnPort.js"
import { field, form, get, identityReply, refreshWith, reply, signUp, status, submit } from "../support/emulatorWire.js"
import { inject } from "../support/withEmulator.js"

const instant: ArtaEmulator.Options = { queueTime: 0, drawTime: 0 }

const onPort = (...faults: ReadonlyArray<Fault.Fault>) => Effect.provide(emulatorOnPort({ ...instant, faults }))

const operations: ReadonlyArray<Fault.Operation> = ["signUp", "refresh", "submit", "status", "image"]

describe("Fault.respond", () => {
  it.live.each(operations)("applies once, and only to its operation: %s", (operation) =>
    Effect.gen(function* () {
      const session = yield* signUp()
      const token = field(session, "idToken")
      const recordId = field(yield* submit(token), "record_id")
      const statuses = Effect.map(
        Effect.all({
          signUp: signUp(),
          refresh: refreshWith(field(session, "refreshToken")),
          submit: submit(token),
          status: status(token, recordId),
          image: get(`/images/${recordId}/0.png`)
        }),
        (replies) => operations.map((name) => replies[name].status)
      )
      yield* inject(Fault.respond(operation, 503))
      expect(yield* statuses).toEqual(operations.map((name) => (name === operation ? 503 : 200)))
      expect(yield* statuses).toEqual(operations.map(() => 200))
    }).pipe(onPort())
  )

  it.live("applies in order", () =>
    Effect.gen(function* () {
      const replies = yield* Effect.replicateEffect(signUp(), 4)
      expect(replies.map(({ status }) => status)).toEqual([503, 429, 500, 200])
    }).pipe(onPort(Fault.respond("signUp", 503), Fault.respond("signUp", 429), Fault.respond("signUp", 500)))
  )

  it.live("sends an empty body by default, a string as HTML, and any other body as JSON", () =>
    Effect.gen(function* () {
      const html = { status: 502, type: "text/html", retryAfter: null }
      expect(yield* signUp()).toEqual({ ...html, body: "" })
      expect(yield* signUp()).toEqual({ ...html, body: "<h1>Bad Gateway</h1>" })
      expect(yield* signUp()).toEqual(reply(502, { detail: "bad gateway" }))
      expect(yield* signUp()).toEqual(reply(502, [1, 2]))
    }).pipe(
      onPort(
        Fault.respond("signUp", 502),
        Fault.respond("signUp", 502, { body: "<h1>Bad Gateway</h1>" }),
        Fault.respond("signUp", 502, { body: { detail: "bad gateway" } }),
        Fault.respond("signUp", 502, { body: [1, 2] })
      )
    )
  )

  it.live("sends its headers", () =>
    Effect.gen(function* () {
      expect(yield* signUp()).toEqual({ ...reply(429, {}), retryAfter: "5" })
    }).pipe(onPort(Fault.respond("signUp", 429, { body: {}, headers: { "retry-after": "5" } })))
  )
})

describe("Fault.identityError", () => {
  it.live("has the form of the identity services, with status 400 by default", () =>
    Effect.gen(function* () {
      expect(yield* signUp()).toEqual(identityReply(400, "USER_DISABLED"))
      expect(yield* refreshWith("unknown")).toEqual(identityReply(429, "QUOTA_EXCEEDED"))
    }).pipe(
      onPort(Fault.identityError("signUp", "USER_DISABLED"), Fault.identityError("refresh", "QUOTA_EXCEEDED", 429))
    )
  )
})

describe("Fault.drop", () => {
  const rotating = (...faults: ReadonlyArray<Fault.Fault>) =>
    Effect.provide(emulatorOnPort({ rotateRefreshTokens: true, faults }))

  /** Loses the response to a refresh, then refreshes with the same token. */
  const refreshAfterDrop = Effect.gen(function* () {
    const refreshToken = field(yield* signUp(), "refreshToken")
    expect(yield* Effect.flip(refreshWith(refreshToken))).toBe("lost")
    return yield* refreshWith(refreshToken)
  })

  it.live.each([{}, { handled: false }])("does not process the request by default: %o", (options) =>
    Effect.gen(function* () {
      yield* inject(Fault.drop("refresh", options))
      expect(yield* refreshAfterDrop).toMatchObject({ status: 200 })
    }).pipe(rotating())
  )

  it.live("processes the request first with `handled`", () =>
    Effect.gen(function* () {
      expect(yield* refreshAfterDrop).toEqual(identityReply(400, "INVALID_REFRESH_TOKEN"))
    }).pipe(rotating(Fault.drop("refresh", { handled: true })))
  )
})

describe("Fault.failGeneration", () => {
  const generate = Effect.gen(function* () {
    const token = field(yield* signUp(), "idToken")
    const recordId = field(yield* submit(token), "record_id")
    const { body } = yield* status(token, recordId)
    return body
  })

  it.live("ends the next generations without images, in order", () =>
    Effect.gen(function* () {
      expect(yield* generate).toMatchObject({ status: "FAILED", response: [], detail: "NSFW content" })
      expect(yield* generate).toMatchObject({ status: "CANCELLED", response: [], detail: "" })
      expect(yield* generate).toMatchObject({ status: "DONE", response: [{}, {}], detail: null })
    }).pipe(onPort(Fault.failGeneration("FAILED", "NSFW content"), Fault.failGeneration("CANCELLED")))
  )

  it.live("does not shorten the generation", () =>
    Effect.gen(function* () {
      expect(yield* generate).toMatchObject({ status: "IN_PROGRESS", detail: null })
    }).pipe(
      Effect.provide(emulatorOnPort({ queueTime: 0, drawTime: "1 hour", faults: [Fault.failGeneration("FAILED")] }))
    )
  )

  it.live("waits for a submission that is accepted", () =>
    Effect.gen(function* () {
      const token = field(yield* signUp(), "idToken")
      expect(yield* submit(token, { ...form, steps: "many" })).toMatchObject({ status: 422 })
      expect(yield* generate).toMatchObject({ status: "FAILED" })
    }).pipe(onPort(Fault.failGeneration("FAILED")))
  )
})
