import { FileSystem, HttpClient } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Option, Stream, TestClock } from "effect"
import { Arta, Auth, ImageFile, Polling, TokenStore } from "effect-arta"
import type { Step } from "../support/scriptedClient.js"
import { scriptedClient } from "../support/scriptedClient.js"
import { makeWitness } from "../support/witness.js"

const secrets = ["canary-api-key", "canary-id-token", "canary-refresh-token", "canary-renewed-token"]

const signedUp = {
  kind: "k",
  localId: "me",
  idToken: "canary-id-token",
  refreshToken: "canary-refresh-token",
  expiresIn: "3600"
}
const refreshed = { id_token: "canary-renewed-token", expires_in: "3600", refresh_token: "canary-refresh-token" }
const accepted = { record_id: "record-1" }
const done = { status: "DONE", response: [{ url: "https://images.test/0" }] }

const failures: ReadonlyArray<readonly [string, Step]> = [
  ...[200, 400, 401, 403, 422, 429, 500].map((echo) => [`${String(echo)} and an echo`, { echo }] as const),
  ["a wrong format", { body: { ...signedUp, ...refreshed, expiresIn: {}, record_id: {}, status: 5 } }],
  ["no JSON", { status: 418, body: "I am a teapot" }],
  ["a reset", { code: "ECONNRESET" }],
  ["a refused connection", { code: "ECONNREFUSED" }],
  ["silence", "silence"]
]

const operations = ["signupNewUser", "securetoken", "text2image/", "text2image", "images"] as const

const settings: Arta.Settings = { timeout: "20 seconds", polling: Polling.fixed("10 seconds") }

const everything = Effect.gen(function* () {
  const auth = yield* Auth.Auth
  const first = yield* Effect.option(auth.token)
  if (first._tag === "Some") yield* Effect.ignore(auth.renew(first.value))
  const generation = yield* Arta.run({ prompt: "cat" }, settings)
  const fs = yield* FileSystem.FileSystem
  const saved = yield* ImageFile.save(generation, { directory: yield* fs.makeTempDirectoryScoped() })
  yield* Effect.forEach(saved, ({ result }) => result)
}).pipe(Effect.scoped)

const program = (http: Layer.Layer<HttpClient.HttpClient>, witness: ReturnType<typeof makeWitness>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(witness.watch(everything))
    const watching = yield* Effect.fork(witness.watch(Stream.runCollect(Arta.watch("record-1", settings))))
    // File I/O takes real time, so advance the clock until it is done.
    while (Option.isNone(yield* Fiber.poll(fiber))) yield* TestClock.adjust("1 minute")
    yield* Fiber.join(watching)
  }).pipe(
    Effect.provide(
      Arta.layer({ apiKey: "canary-api-key" }).pipe(
        Layer.provideMerge(TokenStore.layerMemory),
        Layer.provideMerge(http),
        Layer.provideMerge(NodeContext.layer),
        Layer.provideMerge(witness.layer)
      )
    )
  )

describe("No secret leaks", () => {
  for (const operation of operations) {
    // fault: Secrets | A service that echoes what it receives | `<redacted>`
    it.effect.each(failures)(`when ${operation} meets %s`, ([, step]) => {
      const good: Record<(typeof operations)[number], ReadonlyArray<Step>> = {
        signupNewUser: [{ body: signedUp }],
        securetoken: [{ body: refreshed }],
        "text2image/": [{ body: done }],
        text2image: [{ body: accepted }],
        images: [{ status: 404 }]
      }
      const http = scriptedClient({ ...good, [operation]: [step] })
      const witness = makeWitness()
      return Effect.gen(function* () {
        yield* program(http.layer, witness)
        expect(http.to(operation).length).toBeGreaterThan(0)
        expect(witness.shown.length).toBeGreaterThan(5)
        const leaks = witness.shown.filter((text) => secrets.some((secret) => text.includes(secret)))
        expect(leaks).toEqual([])
      })
    })
  }

  it.effect("detects a secret that leaks", () =>
    Effect.gen(function* () {
      const witness = makeWitness()
      yield* witness.watch(Effect.fail({ detail: "canary-api-key" }))
      yield* Effect.provide(Effect.logTrace("canary-id-token"), witness.layer)
      expect(witness.shown.join()).toContain("canary-api-key")
      expect(witness.shown.join()).toContain("canary-id-token")
    })
  )
})

describe("The spans", () => {
  // fault: Secrets | A third party that collects traces | no tracing headers, and its own spans
  it.effect("record what a generation does", () => {
    const http = scriptedClient({
      signupNewUser: [{ status: 503 }, { code: "ECONNRESET" }, { body: signedUp }],
      securetoken: [{ status: 503 }, { body: refreshed }],
      "text2image/": [{ body: { status: "IN_QUEUE" } }, { status: 401 }, { status: 503 }, { body: done }],
      text2image: [{ status: 429 }, { body: accepted }]
    })
    const witness = makeWitness()
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(witness.watch(Stream.runDrain(Arta.generate({ prompt: "cat" }))))
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(fiber)
      const all = (name: string) =>
        witness.spans.filter((span) => span.name === name).map(({ attributes }) => Object.fromEntries(attributes))
      expect(all("Arta.generate")).toMatchObject([{ recordId: "record-1", model: "Flux" }])
      expect(all("Auth.signUp")).toMatchObject([{ attempt: 1 }, { attempt: 2 }, { attempt: 3 }])
      expect(all("Auth.refresh")).toMatchObject([{ attempt: 1 }, { attempt: 2 }])
      expect(all("ArtaApi.submit")).toMatchObject([
        { model: "Flux", attempt: 1 },
        { model: "Flux", attempt: 2, recordId: "record-1" }
      ])
      expect(all("ArtaApi.status")).toMatchObject([
        { recordId: "record-1", status: "Queued", attempt: 1 },
        { recordId: "record-1", attempt: 1 },
        { recordId: "record-1", status: "Done", attempt: 2 }
      ])
      const numbered = ["Auth.signUp", "Auth.refresh", "ArtaApi.submit", "ArtaApi.status"]
      const nested = witness.spans.filter(({ name }) => !numbered.includes(name))
      expect(nested.map(({ name }) => name)).toEqual(expect.arrayContaining(["Auth.renew", "program.request"]))
      expect(nested.filter(({ attributes }) => attributes.has("attempt"))).toEqual([])
      expect(http.seen.flatMap(({ headers }) => Object.keys(headers))).not.toContain("traceparent")
    }).pipe(
      Effect.provide(
        Arta.layer({
          apiKey: "canary-api-key",
          transformClient: HttpClient.tapRequest(() => Effect.withSpan(Effect.void, "program.request"))
        }).pipe(Layer.provide(TokenStore.layerMemory), Layer.provide(http.layer))
      )
    )
  })
})
