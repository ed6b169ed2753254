import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { ArtaEmulator, Fault } from "effect-arta/testing"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { emulatorOnPort } from "../support/emulatorOnPort.js"
import { faultServer, respond } from "../support/faultServer.js"
import { bundleProgram, startProgram } from "../support/program.js"

let bundles: string
let program: string

beforeAll(async () => {
  bundles = await mkdtemp(join(tmpdir(), "effect-arta-"))
  program = await bundleProgram("drawAndSave", bundles)
})

afterAll(() => rm(bundles, { recursive: true, force: true }))

const onPort = (options: ArtaEmulator.Options = {}) =>
  Effect.provide(Layer.merge(emulatorOnPort(options), NodeContext.layer))

interface Urls {
  readonly apiUrl: string
  readonly signUpUrl: string
  readonly tokenUrl: string
}

/** Starts the program, with or without a session, and lists the files that it has written so far. */
const startWith = Effect.fn(function* (urls: Urls, stored?: string) {
  const fs = yield* FileSystem.FileSystem
  const directory = yield* fs.makeTempDirectoryScoped()
  const tokenFile = `${directory}/session/credentials.json`
  const options = { apiKey: "k", tokenFile, ...urls }
  yield* fs.makeDirectory(`${directory}/session`)
  if (stored !== undefined) yield* fs.writeFileString(tokenFile, stored)
  const child = yield* startProgram(program, JSON.stringify(options), `${directory}/images`)
  const filesIn = (name: string) => Effect.orElseSucceed(fs.readDirectory(`${directory}/${name}`), () => [])
  return { child, tokenFile, session: filesIn("session"), images: filesIn("images") }
})

const startOnEmulator = Effect.flatMap(ArtaEmulator.urls, (urls) => startWith(urls))

const seen = (operation: Fault.Operation) =>
  Effect.flatMap(ArtaEmulator.ArtaEmulator, ({ requests }) =>
    Effect.map(requests, (all) => all.some((request) => request.operation === operation))
  )

const until = <E, R>(condition: Effect.Effect<boolean, E, R>) =>
  Effect.repeat(Effect.zipRight(Effect.sleep("5 millis"), condition), { until: (holds) => holds })

// Real processes take their time on a busy machine, and a sign-up ends after ten seconds.
describe.concurrent("A program", { timeout: 60_000 }, () => {
  // fault: Process | No fault: the program waits for its generation | the image, and the program ends by itself
  it.scopedLive("runs until its generation completes, then exits", () =>
    Effect.gen(function* () {
      const { child, images } = yield* startOnEmulator
      expect(yield* child.nextLine).toBe("Submitted")
      yield* Effect.repeat(child.nextLine, { until: (line) => line === "Completed" })
      expect(yield* child.nextLine).toMatch(/cat-\d+-0\.png$/)
      expect(yield* child.ended).toBe("ended with 0")
      expect(yield* images).toHaveLength(1)
    }).pipe(onPort())
  )

  // fault: Process | SIGINT or SIGTERM while polling | no lock, no temporary file
  it.scopedLive.each(["SIGINT", "SIGTERM"] as const)("exits promptly on %s during polling", (signal) =>
    Effect.gen(function* () {
      const { child, session } = yield* startOnEmulator
      expect(yield* child.nextLine).toBe("Submitted")
      expect(yield* child.nextLine).toBe("Queued")
      yield* child.signal(signal)
      yield* child.ended
      expect(yield* session).toEqual(["credentials.json"])
    }).pipe(onPort({ queueTime: "1 hour" }))
  )

  // fault: Process | SIGINT or SIGTERM while downloading | no file
  it.scopedLive.each(["SIGINT", "SIGTERM"] as const)("leaves no partial image on %s during a download", (signal) =>
    Effect.gen(function* () {
      const emulator = yield* ArtaEmulator.ArtaEmulator
      yield* emulator.inject(Fault.hang("image"))
      const { child, images, session } = yield* startOnEmulator
      yield* until(seen("image"))
      yield* child.signal(signal)
      yield* child.ended
      expect(yield* images).toEqual([])
      expect((yield* session).toSorted()).toEqual(["credentials.json", "durations.json"])
    }).pipe(onPort())
  )

  // fault: Process | SIGTERM while signing up | no lock left behind
  it.scopedLive("waits for a running sign-up, and leaves no lock", () =>
    Effect.gen(function* () {
      const emulator = yield* ArtaEmulator.ArtaEmulator
      yield* emulator.inject(Fault.hang("signUp"))
      const { child, session } = yield* startOnEmulator
      yield* until(seen("signUp"))
      yield* child.signal("SIGTERM")
      // The timeout of the request ends it after ten seconds.
      yield* child.ended
      expect(yield* session).toEqual([])
    }).pipe(onPort())
  )

  // fault: Process | SIGINT or SIGTERM while refreshing | the next program has a session
  it.scopedLive.each(["SIGINT", "SIGTERM"] as const)("stores the result of a running refresh on %s", (signal) =>
    Effect.gen(function* () {
      const interrupted = yield* Effect.makeLatch()
      const refreshed = respond(200, { id_token: "id-2", expires_in: "3600", refresh_token: "refresh-2" })
      const { requests, url } = yield* faultServer({ "/token": [{ ...refreshed, after: interrupted.await }] })
      const expired = { version: 1, localId: "me", idToken: "id-1", refreshToken: "refresh-1" }
      const { child, session, tokenFile } = yield* startWith(
        { apiUrl: url, signUpUrl: `${url}/signUp`, tokenUrl: `${url}/token` },
        JSON.stringify({ ...expired, issuedAt: 0, expiresIn: 3_600_000 })
      )
      yield* until(Effect.sync(() => requests.length > 0))
      yield* child.signal(signal)
      expect(yield* child.nextLine).toBe("Interrupted")
      yield* interrupted.open
      yield* child.ended
      expect(yield* session).toEqual(["credentials.json"])
      const fs = yield* FileSystem.FileSystem
      expect(yield* fs.readFileString(tokenFile)).toContain("refresh-2")
      expect(requests).toHaveLength(1)
    }).pipe(Effect.provide(NodeContext.layer))
  )
})
