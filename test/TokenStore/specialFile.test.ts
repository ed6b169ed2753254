import type { FileSystem } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Logger, Option, TestClock } from "effect"
import { Auth, TokenStore } from "effect-arta"
import { ArtaEmulator } from "effect-arta/testing"
import { execFileSync } from "node:child_process"
import { onDisk } from "../support/onDisk.js"
import { token } from "../support/session.js"
import { counts } from "../support/withEmulator.js"

type Kind = readonly [name: string, type: FileSystem.File.Type, command: string, ...rest: ReadonlyArray<string>]

const pipe: Kind = ["a pipe", "FIFO", "mkfifo"]

// Like /dev/null, which no test may touch. Only root can make one, and not in every container.
const device: Kind = ["a device", "CharacterDevice", "mknod", "c", "1", "3"]

const make = (file: string, [, , command, ...rest]: Kind) =>
  Effect.try(() => execFileSync(command, [file, ...rest], { stdio: "ignore" }))

describe.skipIf(process.platform === "win32")("A token file that is not a regular file", () => {
  // fault: Store | The token file is a device such as `/dev/null`, a pipe or a socket | one warning, and the file is neither read nor replaced
  it.effect.each([pipe, device])("keeps the session in memory, warns once, and stays %s", (kind) =>
    onDisk(({ file, files, fs, open }) =>
      Effect.gen(function* () {
        if (Option.isNone(yield* Effect.option(make(file, kind)))) return
        const warnings: Array<unknown> = []
        const logger = Logger.make(({ message }) => warnings.push(message))
        const store = yield* open()
        const tokens = yield* Effect.gen(function* () {
          const auth = yield* Auth.Auth
          const first = yield* token
          yield* TestClock.adjust("2 hours")
          const second = yield* token
          yield* auth.signOut
          return [first, second, yield* token]
        }).pipe(
          Effect.provide(Auth.layer({ apiKey: "emulated" })),
          Effect.provideService(TokenStore.TokenStore, store),
          Effect.provide(Logger.replace(Logger.defaultLogger, logger))
        )
        expect(new Set(tokens).size).toBe(3)
        expect(yield* counts).toMatchObject({ signUp: 2, refresh: 1 })
        expect(warnings).toHaveLength(1)
        expect(String(warnings)).toContain(
          `the session at ${file}: it is not a regular file. It is kept in memory only`
        )
        expect((yield* fs.stat(file)).type).toBe(kind[1])
        expect(yield* files).toEqual(["credentials.json"])
      })
    ).pipe(Effect.provide(ArtaEmulator.layer()))
  )
})
