import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { Effect, Layer } from "effect"
import { ArtaEmulator } from "effect-arta/testing"
import { onEmulator } from "./command.js"
import { emulatorOnPort } from "./emulatorOnPort.js"

/** Provides an emulator for the command. */
export const onPort = (options: ArtaEmulator.Options = {}) =>
  Effect.provide(
    Layer.merge(emulatorOnPort({ queueTime: "50 millis", drawTime: "50 millis", ...options }), NodeContext.layer)
  )

/** A temporary directory for each test, and an environment that points the command to the emulator. */
export const setUp = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const directory = yield* fs.makeTempDirectoryScoped()
  const emulator = yield* ArtaEmulator.ArtaEmulator
  return { fs, directory, emulator, env: yield* onEmulator(directory), images: `${directory}/images` }
})

/** Commands wait for the emulator in real time, up to ten seconds, and processes start slowly on a busy machine. */
export const timeout = Number(process.env["ARTA_TEST_TIMEOUT"] ?? 120_000)
