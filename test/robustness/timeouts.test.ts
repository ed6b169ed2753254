import { FileSystem, HttpClient } from "@effect/platform"
import { NodeContext, NodeHttpClient } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, Either, Fiber, Layer, Option, TestClock } from "effect"
import { Arta, ArtaApi, GenerateRequest, Generation, ImageFile, Polling, TokenStore } from "effect-arta"
import type { RawResponse } from "../support/faultServer.js"
import { faultServer, head, respond } from "../support/faultServer.js"
import { stored, token } from "../support/session.js"
import { ended, eventually } from "../support/virtualTime.js"

const silence: RawResponse = { write: [head(200, { "content-length": 1_000 })], then: "silence" }
const session = { localId: "me", idToken: "id-1", refreshToken: "refresh-1", expiresIn: "3600" }
const signedUp = respond(200, session, { connection: "close" })
const accepted = respond(200, { record_id: "rec" })
const done = respond(200, { status: "DONE", response: [{ url: "http://images.test/0" }] })

/** Counts the requests of an HTTP client and the responses that have started, by the end of the URL. */
const countingClient = Effect.gen(function* () {
  const requested: Array<string> = []
  const responded: Array<string> = []
  const client = (yield* HttpClient.HttpClient).pipe(
    HttpClient.tapRequest(({ url }) => Effect.sync(() => requested.push(url))),
    HttpClient.tap(({ request }) => Effect.sync(() => responded.push(request.url)))
  )
  const times = (urls: ReadonlyArray<string>, path: string) =>
    urls.filter((url) => new URL(url).pathname.endsWith(path)).length
  return {
    client,
    requested: (path: string) => times(requested, path),
    responded: (path: string) => times(responded, path)
  }
})

/** The library in virtual time, with a server on real sockets. */
const onServer = (scripts: Readonly<Record<string, ReadonlyArray<RawResponse>>>) =>
  Effect.gen(function* () {
    const { connections, requests, url } = yield* faultServer({ "/signUp": [signedUp], ...scripts })
    const { requested, responded, client } = yield* countingClient
    const services = yield* Layer.build(
      Arta.layer({ apiKey: "k", apiUrl: url, signUpUrl: `${url}/signUp`, tokenUrl: `${url}/token` }).pipe(
        Layer.provideMerge(TokenStore.layerMemory),
        Layer.provideMerge(Layer.succeed(HttpClient.HttpClient, client))
      )
    )

    /** Runs an effect whose request gets only the head of a response, and waits for its timeout, several times. */
    const outlast = <A, E>(
      effect: Effect.Effect<A, E, Layer.Layer.Success<ReturnType<typeof Arta.layer>>>,
      path: string,
      { seconds, times }: { readonly seconds: number; readonly times: number }
    ) =>
      Effect.gen(function* () {
        const fiber = yield* Effect.fork(Effect.provide(effect, services))
        for (let attempt = 1; attempt <= times; attempt += 1) {
          while (attempt > 1 && requested(path) < attempt) yield* TestClock.adjust("100 millis")
          yield* eventually(Effect.sync(() => responded(path) === attempt))
          yield* TestClock.adjust(Duration.seconds(seconds - 1))
          expect(yield* Fiber.poll(fiber)).toEqual(Option.none())
          expect(requested(path)).toBe(attempt)
          yield* TestClock.adjust("1 second")
        }
        while (requested(path) === times && Option.isNone(yield* Fiber.poll(fiber)))
          yield* TestClock.adjust("100 millis")
        return yield* ended(fiber)
      })

    const count = (start: string) => requests.filter((request) => request.startsWith(start)).length
    return { connections, count, outlast, services, url }
  })

const onSockets = Effect.provide(Layer.merge(NodeContext.layer, NodeHttpClient.layerUndici))

describe("A response without a body", () => {
  // fault: Submit | Headers, then silence at a submission | `SubmissionUnknownError`, one POST
  it.scoped("ends a submission after a minute, without a second one", () =>
    Effect.gen(function* () {
      const { count, outlast } = yield* onServer({ "/text2image": [silence] })
      const run = Effect.flip(Arta.run({ prompt: "cat" }))
      expect(yield* outlast(run, "/text2image", { seconds: 60, times: 1 })).toMatchObject({
        _tag: "SubmissionUnknownError"
      })
      expect(count("POST /text2image ")).toBe(1)
    }).pipe(onSockets)
  )

  // fault: Poll | Headers, then silence at a poll | nothing
  it.scoped("ends a poll after 15 seconds, and polling continues", () =>
    Effect.gen(function* () {
      const { count, outlast } = yield* onServer({
        "/text2image/rec/status": [silence, silence, done],
        "/text2image": [accepted]
      })
      const run = Arta.run({ prompt: "cat" }, { polling: Polling.fixed("1 second") })
      const generation = yield* outlast(run, "/status", { seconds: 15, times: 2 })
      expect(generation.images).toHaveLength(1)
      expect(count("POST /text2image ")).toBe(1)
      expect(count("GET /text2image/rec/status ")).toBe(3)
    }).pipe(onSockets)
  )

  // fault: Sessions | Headers, then silence at a sign-up | `TransportError` after four attempts
  it.scoped("ends a sign-up after ten seconds, and it is retried three times", () =>
    Effect.gen(function* () {
      const { count, outlast } = yield* onServer({ "/signUp": [silence] })
      expect(yield* outlast(Effect.flip(token), "/signUp", { seconds: 10, times: 4 })).toMatchObject({
        _tag: "TransportError",
        operation: "signUp"
      })
      expect(count("POST /signUp")).toBe(4)
    }).pipe(onSockets)
  )

  // fault: Sessions | Headers, then silence at a refresh | `TransportError`, and the session is kept
  it.scoped("ends a refresh after ten seconds, it is retried three times, and the session is kept", () =>
    Effect.gen(function* () {
      const { count, outlast, services } = yield* onServer({ "/token": [silence] })
      yield* Effect.provide(token, services)
      const before = yield* Effect.provide(stored, services)
      yield* TestClock.adjust("2 hours")
      expect(yield* outlast(Effect.flip(token), "/token", { seconds: 10, times: 4 })).toMatchObject({
        _tag: "TransportError",
        operation: "refresh"
      })
      expect(count("POST /token")).toBe(4)
      expect(count("POST /signUp")).toBe(1)
      expect(yield* Effect.provide(stored, services)).toEqual(before)
    }).pipe(onSockets)
  )

  // fault: Download | Headers, then silence at a download | `DownloadError`, no file
  it.scoped("ends a download after 30 seconds, it is retried three times, and leaves no file", () =>
    Effect.gen(function* () {
      const { count, outlast, services, url } = yield* onServer({ "/image": [silence] })
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped()
      const source = {
        recordId: Generation.RecordId.make("rec"),
        images: [{ index: 0, url: `${url}/image` }]
      } as const
      const save = Effect.provide(ImageFile.save(source, { directory }), [
        NodeContext.layer,
        Layer.succeedContext(services)
      ])
      const [saved] = yield* outlast(save, "/image", { seconds: 30, times: 4 })
      expect(saved?.result).toMatchObject(Either.left({ _tag: "DownloadError" }))
      expect(count("GET /image")).toBe(4)
      expect(yield* fs.readDirectory(directory)).toEqual([])
    }).pipe(onSockets)
  )
})

describe("A submission that is interrupted in flight", () => {
  // fault: Submit | The submission is interrupted in flight | the request is aborted, one POST
  it.scoped("is aborted and never sent again", () =>
    Effect.gen(function* () {
      const { connections, count, services } = yield* onServer({
        "/signUp": [{ ...signedUp, then: "close" }],
        "/text2image": [{ then: "silence" }]
      })
      const submit = Effect.flatMap(ArtaApi.ArtaApi, (api) =>
        api.submit(new GenerateRequest.GenerateRequest({ prompt: "cat" }))
      )
      const fiber = yield* Effect.fork(Effect.provide(submit, services))
      yield* eventually(Effect.sync(() => count("POST /text2image ") === 1))
      yield* Fiber.interrupt(fiber)
      yield* eventually(Effect.sync(() => connections() === 0))
      yield* TestClock.adjust("10 minutes")
      expect(count("POST /text2image ")).toBe(1)
    }).pipe(onSockets)
  )
})
