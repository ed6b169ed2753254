import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Option } from "effect"
import { NodeArta } from "effect-arta/node"
import { createRequire } from "node:module"
import type { RawResponse } from "../support/faultServer.js"
import { faultServer, head, respond } from "../support/faultServer.js"
import { token } from "../support/session.js"
import { settle } from "../support/settle.js"
import { storedSession } from "../support/storedSession.js"
import { poll, submission, until } from "../support/withSession.js"

const platformNode = createRequire(createRequire(import.meta.url).resolve("@effect/platform-node/Undici"))

/** undici's own timers, and how to advance them. */
const undiciTimers = platformNode("undici/lib/util/timers.js") as { readonly tick: (millis: number) => void }

/** Lets time pass for undici, and lets both ends of a connection react. */
const pass = (seconds: number) =>
  Effect.sync(() => {
    undiciTimers.tick(seconds * 1_000)
  }).pipe(Effect.zipRight(settle))

const silence: RawResponse = { then: "silence" }
const headThenSilence: RawResponse = { write: [head(200, { "content-length": 1_000 })], then: "silence" }
const signedUp = respond(200, { localId: "me", idToken: "id-1", refreshToken: "refresh-1", expiresIn: "3600" })
const refreshed = respond(200, { id_token: "id-2", expires_in: "3600" })

const temporaryFile = Effect.flatMap(FileSystem.FileSystem, (fs) =>
  Effect.map(fs.makeTempDirectoryScoped(), (directory) => `${directory}/credentials.json`)
)

const expiredSession = Effect.tap(storedSession, (file) =>
  Effect.flatMap(FileSystem.FileSystem, (fs) =>
    Effect.flatMap(fs.readFileString(file), (text) =>
      fs.writeFileString(file, JSON.stringify({ ...(JSON.parse(text) as object), issuedAt: 0 }))
    )
  )
)

type Effects = readonly [
  request: string,
  seconds: number,
  effect: Effect.Effect<unknown, unknown, NodeArta.Services>,
  tokenFile: typeof storedSession,
  /** The response after the silence. */
  next: RawResponse,
  outcome: unknown,
  count: number
]

const effects: ReadonlyArray<Effects> = [
  ["submission", 60, Effect.flip(submission), storedSession, respond(404), { _tag: "SubmissionUnknownError" }, 1],
  ["poll", 15, Effect.flip(poll), storedSession, respond(404), { _tag: "TransportError", operation: "status" }, 1],
  ["sign-up", 10, Effect.map(token, (token) => ({ token })), temporaryFile, signedUp, { token: "id-1" }, 2],
  ["refresh", 10, Effect.map(token, (token) => ({ token })), expiredSession, refreshed, { token: "id-2" }, 2]
]

describe("With NodeArta", () => {
  // fault: Whatever a service sends | Silence before or after the headers, with `NodeArta` | the request ends: a submission after 60 seconds, a poll after 15, a sign-up or refresh after 10
  it.scopedLive.each(
    effects.flatMap(([name, ...row]) => [
      [`a ${name} before the headers`, silence, ...row] as const,
      [`a ${name} after the headers`, headThenSilence, ...row] as const
    ])
  )("silence ends %s", ([, response, seconds, effect, tokenFile, next, outcome, count]) =>
    Effect.gen(function* () {
      const { connections, requests, url } = yield* faultServer({ "/": [response, next] })
      const urls = { apiUrl: url, signUpUrl: `${url}/signUp`, tokenUrl: `${url}/token` }
      const services = yield* Layer.build(NodeArta.layer({ apiKey: "k", tokenFile: yield* tokenFile, ...urls }))
      const fiber = yield* Effect.fork(Effect.provide(effect, services))
      yield* until(() => requests.length === 1)
      // The head arrives, then undici's timers start to count at their next tick.
      yield* pass(0)
      yield* pass(0)
      yield* pass(seconds - 2)
      expect(yield* Fiber.poll(fiber)).toEqual(Option.none())
      expect([requests.length, connections()]).toEqual([1, 1])
      yield* pass(4)
      expect(yield* Fiber.join(fiber)).toMatchObject(outcome as object)
      expect(requests).toHaveLength(count)
    }).pipe(Effect.provide(NodeContext.layer))
  )
})
