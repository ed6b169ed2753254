import { afterAll, beforeAll, describe, expect, it, vi } from "@effect/vitest"
import { Context, Effect, Fiber, Layer, Option, Ref } from "effect"
import { ArtaApi, GenerateRequest } from "effect-arta"
import type { RawResponse } from "../support/faultServer.js"
import { faultServer, head, respond } from "../support/faultServer.js"
import { heldTlsServer } from "../support/heldTlsServer.js"
import { apiAt, newTokenFile, transports } from "../support/transports.js"

const submit = (api: ArtaApi.Service) => api.submit(new GenerateRequest.GenerateRequest({ prompt: "cat" }))

const accepted = respond(200, { record_id: "rec" })
const signedUp = respond(200, { localId: "me", idToken: "id-1", refreshToken: "refresh-1", expiresIn: "3600" })
const refreshed = respond(200, { id_token: "id-2", expires_in: "3600" })
const refused = respond(401, { detail: "expired" })

const until = (condition: () => boolean) => Effect.repeat(Effect.sleep("2 millis"), { until: condition })

// Node reads this at each handshake.
beforeAll(() => vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0"))
afterAll(() => vi.unstubAllEnvs())

describe.concurrent.each(transports)("With %s", (_, transport) => {
  // fault: Submit | The submission is interrupted before the connection is established | no POST, not even later
  it.scopedLive("writes nothing after an interruption in the TLS handshake", () =>
    Effect.gen(function* () {
      const server = yield* heldTlsServer({ record_id: "rec" })
      const api = yield* apiAt(transport, server.url)
      const submission = yield* Effect.fork(submit(api))
      yield* until(() => server.accepted() > 0)
      yield* Fiber.interrupt(submission)
      yield* server.open
      expect(yield* submit(api)).toBe("rec")
      expect(server.requests).toEqual(["POST /text2image"])
    })
  )

  // fault: Submit | The submission is interrupted while its response is awaited or read | the connection is closed, one POST
  it.scopedLive.each<[string, RawResponse]>([
    ["before the head", { then: "silence" }],
    ["after the head", { write: [head(200, { "content-length": 100 })], then: "silence" }],
    ["within the body", { write: [head(200, { "content-length": 100 }), "half"], then: "silence" }]
  ])("closes the connection after an interruption %s", ([, response]) =>
    Effect.gen(function* () {
      const { connections, requests, url } = yield* faultServer({ "/text2image": [response, accepted] })
      const api = yield* apiAt(transport, url)
      const submission = yield* Effect.fork(submit(api))
      yield* until(() => requests.length === 1)
      yield* Fiber.interrupt(submission)
      yield* until(() => connections() === 0)
      expect(requests).toHaveLength(1)
      expect(yield* submit(api)).toBe("rec")
    })
  )

  // fault: Submit | An uninterruptible submission is interrupted, in any phase | it waits for its record id, one POST
  it.scopedLive.each<[string, Readonly<Record<string, ReadonlyArray<RawResponse>>>, string]>([
    ["the sign-up", { "/text2image": [accepted] }, "/signUp"],
    ["the submission", { "/text2image": [accepted] }, "/text2image"],
    ["the refresh after 401", { "/text2image": [refused, accepted] }, "/token"]
  ])("finishes an uninterruptible submission that is interrupted during %s", ([, submissions, held]) =>
    Effect.gen(function* () {
      const interrupted = yield* Effect.makeLatch()
      const scripts = { "/signUp": [signedUp], "/token": [refreshed], ...submissions }
      const { requests, url } = yield* faultServer(
        Object.fromEntries(
          Object.entries(scripts).map(([path, responses]) => [
            path,
            path === held ? responses.map((response) => ({ ...response, after: interrupted.await })) : responses
          ])
        )
      )
      const urls = { apiUrl: url, signUpUrl: `${url}/signUp`, tokenUrl: `${url}/token` }
      const services = yield* Layer.build(transport({ tokenFile: yield* newTokenFile, ...urls }))
      const found = yield* Ref.make(Option.none<string>())
      const submission = submit(Context.get(services, ArtaApi.ArtaApi)).pipe(
        Effect.tap((recordId) => Ref.set(found, Option.some(recordId))),
        Effect.uninterruptible
      )
      const fiber = yield* Effect.fork(submission)
      const count = (path: string) => requests.filter((request) => request.startsWith(`POST ${path}`)).length
      yield* until(() => count(held) === 1)
      yield* Fiber.interruptFork(fiber)
      yield* interrupted.open
      yield* Fiber.await(fiber)
      expect(yield* Ref.get(found)).toEqual(Option.some("rec"))
      expect(count("/text2image")).toBe(submissions["/text2image"]?.length)
    })
  )
})
