import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Option } from "effect"
import { ArtaEmulator, Fault } from "effect-arta/testing"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { emulatorOnPort } from "./support/emulatorOnPort.js"
import { bundled, started } from "./support/program.js"

let bundles: string
let program: string

beforeAll(async () => {
  bundles = await mkdtemp(join(tmpdir(), "effect-arta-"))
  program = await bundled("drawAndSave", bundles)
}, 60_000)

afterAll(() => rm(bundles, { recursive: true, force: true }))

const onPort = (options: ArtaEmulator.Options = {}) =>
  Effect.provide(Layer.merge(emulatorOnPort(options), NodeContext.layer))

/** The program, started on the emulator, and the files that it has written so far. */
const drawing = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const folder = yield* fs.makeTempDirectoryScoped()
  const options = { apiKey: "k", tokenFile: `${folder}/session/credentials.json`, ...(yield* ArtaEmulator.urls) }
  const child = yield* started(program, JSON.stringify(options), `${folder}/pictures`)
  const filesIn = (name: string) => Effect.orElseSucceed(fs.readDirectory(`${folder}/${name}`), () => [])
  return { child, session: filesIn("session"), pictures: filesIn("pictures") }
})

const seen = (operation: Fault.Operation) =>
  Effect.flatMap(ArtaEmulator.ArtaEmulator, ({ requests }) =>
    Effect.map(requests, (all) => all.some((request) => request.operation === operation))
  )

const untilSeen = (operation: Fault.Operation) =>
  Effect.repeat(Effect.zipRight(Effect.sleep("5 millis"), seen(operation)), { until: (isSeen) => isSeen })

describe("A program", () => {
  it.scopedLive("lives for as long as a generation is awaited, and then ends by itself", () =>
    Effect.gen(function* () {
      const { child, pictures } = yield* drawing
      expect(yield* child.nextLine).toBe("Submitted")
      yield* Effect.repeat(child.nextLine, { until: (line) => line === "Completed" })
      expect(yield* child.nextLine).toMatch(/record-.*-0\.png$/)
      expect(yield* child.ended).toBe("ended with 0")
      expect(yield* pictures).toHaveLength(1)
    }).pipe(onPort())
  )

  it.scopedLive.each(["SIGINT", "SIGTERM"] as const)("ends promptly on %s while it polls", (signal) =>
    Effect.gen(function* () {
      const { child, session } = yield* drawing
      expect(yield* child.nextLine).toBe("Submitted")
      expect(yield* child.nextLine).toBe("Queued")
      yield* child.signal(signal)
      expect(Option.isSome(yield* Effect.timeoutOption(child.ended, "5 seconds"))).toBe(true)
      expect(yield* session).toEqual(["credentials.json"])
    }).pipe(onPort({ queueTime: "1 hour" }))
  )

  it.scopedLive("leaves no part of a picture when it is stopped while it downloads", () =>
    Effect.gen(function* () {
      const emulator = yield* ArtaEmulator.ArtaEmulator
      yield* emulator.inject(Fault.hang("image"))
      const { child, pictures, session } = yield* drawing
      yield* untilSeen("image")
      yield* child.signal("SIGINT")
      expect(Option.isSome(yield* Effect.timeoutOption(child.ended, "5 seconds"))).toBe(true)
      expect(yield* pictures).toEqual([])
      expect(yield* session).toEqual(["credentials.json"])
    }).pipe(onPort())
  )

  it.scopedLive("waits for the answer to a sign-up under way, and leaves no lock", () =>
    Effect.gen(function* () {
      const emulator = yield* ArtaEmulator.ArtaEmulator
      yield* emulator.inject(Fault.hang("signUp"))
      const { child, session } = yield* drawing
      yield* untilSeen("signUp")
      yield* child.signal("SIGTERM")
      // Its own timeout ends the request after ten seconds.
      expect(Option.isSome(yield* Effect.timeoutOption(child.ended, "15 seconds"))).toBe(true)
      expect(yield* session).toEqual([])
    }).pipe(onPort())
  )
})
