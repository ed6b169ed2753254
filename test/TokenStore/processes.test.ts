import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import { Clock, Duration, Effect, Layer, Option, Redacted } from "effect"
import { Auth, Credentials, TokenStore } from "effect-arta"
import { NodeArta } from "effect-arta/node"
import { ArtaEmulator } from "effect-arta/testing"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { emulatorOnPort } from "../support/emulatorOnPort.js"
import { bundleProgram, startProgram } from "../support/program.js"

let bundles: string
let program: string

beforeAll(async () => {
  bundles = await mkdtemp(join(tmpdir(), "effect-arta-"))
  program = await bundleProgram("askForToken", bundles)
})

afterAll(() => rm(bundles, { recursive: true, force: true }))

const counts = Effect.flatMap(ArtaEmulator.ArtaEmulator, (emulator) => emulator.counts)

const onPort = (options: ArtaEmulator.Options = {}) =>
  Effect.provide(Layer.merge(emulatorOnPort(options), NodeContext.layer))

const makeOptions = Effect.gen(function* () {
  const directory = yield* Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped())
  const options = { apiKey: "k", tokenFile: `${directory}/credentials.json`, ...(yield* ArtaEmulator.urls) }
  return { directory, options }
})

/** Starts several processes, which request a token at the same moment, and returns their tokens. */
const askTogether = (processes: number, options: NodeArta.Options) =>
  Effect.gen(function* () {
    const children = yield* Effect.all(Effect.replicate(startProgram(program, JSON.stringify(options)), processes))
    for (const child of children) expect(yield* child.nextLine).toBe("ready")
    for (const child of children) yield* child.say("go")
    return yield* Effect.all(children.map(({ nextLine }) => nextLine))
  }).pipe(Effect.scoped)

const storedIn = (options: NodeArta.Options) =>
  Effect.gen(function* () {
    const store = yield* TokenStore.TokenStore
    return Option.getOrThrow(yield* store.load)
  }).pipe(Effect.provide(NodeArta.layer(options)))

/** Signs up and stores a session whose token expired an hour ago. */
const leaveExpired = (options: NodeArta.Options) =>
  Effect.gen(function* () {
    const auth = yield* Auth.Auth
    const expired = yield* auth.token
    const store = yield* TokenStore.TokenStore
    const issuedAt = (yield* Clock.currentTimeMillis) - Duration.toMillis(Duration.hours(2))
    const { expiresIn, idToken, localId, refreshToken } = Option.getOrThrow(yield* store.load)
    yield* store.save(new Credentials.Credentials({ expiresIn, idToken, issuedAt, localId, refreshToken }))
    return expired
  }).pipe(Effect.provide(NodeArta.layer(options)))

const count = 10

// Real processes take their time on a busy machine.
describe("Processes that share a token file", { timeout: 60_000 }, () => {
  // fault: Store | Several programs start together | one account
  it.scopedLive("sign up once between all of them", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const { directory, options } = yield* makeOptions
      const tokens = yield* askTogether(count, options)
      expect(yield* counts).toMatchObject({ signUp: 1, refresh: 0 })
      expect(tokens).toHaveLength(count)
      expect(new Set(tokens)).toEqual(new Set([Redacted.value((yield* storedIn(options)).idToken)]))
      expect(yield* fs.readDirectory(directory)).toEqual(["credentials.json"])
    }).pipe(onPort())
  )

  // fault: Store | Two programs find an expired session | one refresh
  it.scopedLive("refresh an expired token once if each refresh token works once", () =>
    Effect.gen(function* () {
      const { options } = yield* makeOptions
      const expired = yield* leaveExpired(options)
      const before = yield* storedIn(options)
      const tokens = yield* askTogether(2, options)
      expect(yield* counts).toMatchObject({ signUp: 1, refresh: 1 })
      const after = yield* storedIn(options)
      expect(tokens).toEqual([Redacted.value(after.idToken), Redacted.value(after.idToken)])
      expect(Redacted.value(after.idToken)).not.toBe(Redacted.value(expired))
      expect(Redacted.value(after.refreshToken)).not.toBe(Redacted.value(before.refreshToken))
      expect(after.localId).toBe(before.localId)
    }).pipe(onPort({ rotateRefreshTokens: true }))
  )
})
