import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import { Array, Effect, Option, Random, Ref, TestContext } from "effect"
import { TokenStore } from "effect-arta"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { numberedSession } from "../support/numberedSession.js"
import { bundleProgram, startProgram } from "../support/program.js"
import { unredact } from "../support/unredact.js"
import { runs, seed } from "../support/suite.js"
import { ended, pass } from "../support/virtualTime.js"

const lanes = 2
const killsPerLane = runs({ full: 40, nightly: 150 })
const recoveriesPerLane = runs({ full: 3, nightly: 5 })
// Each kill starts a process, and each recovery waits for one.
const timeout = 60_000 + lanes * killsPerLane * 3_000

let bundles: string
let program: string

beforeAll(async () => {
  bundles = await mkdtemp(join(tmpdir(), "effect-arta-"))
  program = await bundleProgram("saveWithoutEnd", bundles)
})

afterAll(() => rm(bundles, { recursive: true, force: true }))

const makeLane = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const directory = yield* fs.makeTempDirectoryScoped()
  const file = `${directory}/credentials.json`
  const store = yield* Effect.provide(TokenStore.TokenStore, TokenStore.layerFileSystem(file))

  /** Reads the number of the stored session, and checks that the session is complete. */
  const readNumber = Effect.gen(function* () {
    const loaded = yield* store.load
    expect(Option.isSome(loaded), "a session is stored").toBe(true)
    const number = Option.match(loaded, { onNone: () => Number.NaN, onSome: ({ issuedAt }) => issuedAt })
    expect(unredact(loaded)).toEqual(unredact(Option.some(numberedSession(number))))
    return number
  })

  const files = fs.readDirectory(directory)
  const isLocked = fs.exists(`${file}.lock`)
  const unlock = fs.remove(`${file}.lock`, { force: true })

  const temporaryFiles = Effect.map(files, (names) => names.filter((name) => name.endsWith(".tmp")))
  const age = (name: string) => fs.utimes(`${directory}/${name}`, 0, 0)

  return { file, store, readNumber, files, isLocked, unlock, temporaryFiles, age }
})

type Lane = Effect.Effect.Success<typeof makeLane>

/** Starts the program, then kills it while it saves and this process reads. Returns the last number that it reported. */
const runAndKill = ({ file, readNumber }: Lane, first: number) =>
  Effect.scoped(
    Effect.gen(function* () {
      const child = yield* startProgram(program, file, String(first))
      const saved = Number(yield* child.nextLine)
      const kill = Effect.zipRight(Effect.flatMap(Random.nextIntBetween(0, 31), Effect.sleep), child.kill)
      const unread = yield* Effect.raceFirst(kill, Effect.forever(readNumber))
      return Number([...unread].at(-1) ?? saved)
    })
  )

/** Waits for the lock of a killed program, with a separate virtual clock. */
const recover = ({ isLocked, store }: Lane) =>
  Effect.promise(() =>
    Effect.gen(function* () {
      const next = yield* Effect.fork(store.exclusively(Effect.succeed("recovered")))
      expect(yield* pass(next, { seconds: 4.5 })).toBe(false)
      yield* pass(next, { seconds: 2 })
      expect(yield* ended(next)).toBe("recovered")
      expect(yield* isLocked).toBe(false)
    }).pipe(Effect.provide(TestContext.TestContext), Effect.runPromise)
  )

describe("A program that is killed while it saves", () => {
  // fault: Store | A program is killed while it saves | nothing
  it.scopedLive(
    "leaves a complete session, a lock that the next program breaks, and no temporary files",
    () =>
      Effect.gen(function* () {
        const kills = yield* Ref.make(0)
        const recoveries = yield* Ref.make(0)

        const runLane = Effect.gen(function* () {
          const lane = yield* makeLane
          let stored = 0
          let recovered = 0
          for (let kill = 0; kill < killsPerLane; kill += 1) {
            const saved = yield* runAndKill(lane, stored + 1)
            stored = yield* lane.readNumber
            expect(stored, "the last reported session is stored").toBeGreaterThanOrEqual(saved)
            if (recovered < recoveriesPerLane && (yield* lane.isLocked)) {
              yield* recover(lane)
              recovered += 1
            }
            // Saves the next program a wait of five seconds.
            yield* lane.unlock
            yield* Ref.update(kills, (n) => n + 1)
          }
          yield* Ref.update(recoveries, (n) => n + recovered)

          yield* Effect.forEach(yield* lane.temporaryFiles, lane.age)
          yield* lane.store.save(numberedSession(0))
          expect(yield* lane.files).toEqual(["credentials.json"])
        })

        yield* Effect.all(
          Array.makeBy(lanes, (lane) => Effect.withRandom(Effect.scoped(runLane), Random.make(seed + lane))),
          { concurrency: "unbounded" }
        )
        expect(yield* Ref.get(kills)).toBe(lanes * killsPerLane)
        expect(yield* Ref.get(recoveries)).toBe(lanes * recoveriesPerLane)
      }).pipe(Effect.provide(NodeContext.layer)),
    timeout
  )

  it.scopedLive(
    "delays the next program, but does not stop it",
    () =>
      Effect.gen(function* () {
        const lane = yield* makeLane
        let saved = yield* runAndKill(lane, 1)
        while (!(yield* lane.isLocked)) saved = yield* runAndKill(lane, saved + 1)
        const next = yield* startProgram(program, lane.file, "1000000")
        expect(yield* next.nextLine).toBe("1000000")
        yield* next.kill
        expect(yield* lane.readNumber).toBeGreaterThanOrEqual(1_000_000)
      }).pipe(Effect.withRandom(Random.make(seed)), Effect.provide(NodeContext.layer)),
    timeout
  )
})
