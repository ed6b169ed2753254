import { type FileSystem, HttpClient } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Clock, Deferred, Effect, Layer, Option, Redacted, TestClock } from "effect"
import { Auth, Credentials, TokenStore } from "effect-arta"
import { ArtaEmulator } from "effect-arta/testing"
import { type Disk, onDisk, session } from "../support/onDisk.js"
import { token } from "../support/session.js"
import { unredact } from "../support/unredact.js"
import { ended, eventually, pass } from "../support/virtualTime.js"
import { counts } from "../support/withEmulator.js"

/** The disk of a process whose event loop is blocked: it does not touch its lock file. */
const withoutHeartbeat = (fs: FileSystem.FileSystem): FileSystem.FileSystem => ({ ...fs, utimes: () => Effect.void })

/** A program with its own memory. Its responses reach it after the given effect. */
const program = (disk: FileSystem.FileSystem, { open }: Disk, wait: Effect.Effect<unknown> = Effect.void) =>
  Effect.gen(function* () {
    const client = HttpClient.transformResponse(
      yield* HttpClient.HttpClient,
      Effect.tap(() => wait)
    )
    const context = yield* Layer.build(
      Layer.provide(
        Auth.layer({ apiKey: "emulated" }),
        Layer.merge(
          Layer.succeed(HttpClient.HttpClient, client),
          Layer.succeed(TokenStore.TokenStore, yield* open(disk))
        )
      )
    )
    return Effect.provide(token, context)
  })

const requests = Effect.map(counts, ({ refresh, signUp }) => refresh + signUp)

/** Leaves a session in the store, which has expired. */
const leaveExpired = (disk: Disk) =>
  Effect.gen(function* () {
    yield* yield* program(disk.fs, disk)
    yield* TestClock.adjust("2 hours")
  })

/**
 * The first program is blocked while it waits for a response. The second one takes its lock over, and has returned or
 * waits for a response of its own when the first one continues.
 */
const blockFirst = (disk: Disk, waitOfSecond?: Effect.Effect<unknown>) =>
  Effect.gen(function* () {
    const blocked = yield* Deferred.make<boolean>()
    const one = yield* program(withoutHeartbeat(disk.fs), disk, Deferred.await(blocked))
    const two = yield* program(disk.fs, disk, waitOfSecond)
    const before = yield* requests
    const first = yield* Effect.fork(one)
    yield* eventually(Effect.map(requests, (now) => now > before))
    const second = yield* Effect.fork(two)
    // The timeout and the heartbeat of the first program sleep too.
    yield* pass(second, { seconds: 7, sleepers: 3 })
    if (waitOfSecond === undefined) yield* ended(second)
    else yield* eventually(Effect.map(requests, (now) => now > before + 1))
    yield* Deferred.succeed(blocked, true)
    const tokens = [yield* ended(first)]
    yield* pass(second, { seconds: 9 })
    return { one, two, tokens: [...tokens, yield* ended(second)] }
  })

const storedToken = ({ open }: Disk) =>
  Effect.flatMap(open(), ({ load }) => Effect.map(load, (found) => unredact(found)))

describe("A process whose event loop was blocked while it held the lock", () => {
  // fault: Store | A process is blocked for nine seconds during a refresh, and another takes its lock over | one session
  it.scoped.each<[string, boolean]>([
    ["works once", true],
    ["stays valid", false]
  ])("shares the session of the process that took over, if a refresh token %s", ([, rotateRefreshTokens]) =>
    onDisk((disk) =>
      Effect.gen(function* () {
        yield* leaveExpired(disk)
        const { one, tokens, two } = yield* blockFirst(disk)
        expect(new Set(tokens).size).toBe(1)
        expect(Option.map(yield* storedToken(disk), ({ idToken }) => idToken)).toEqual(Option.some(tokens[0]))
        const { signUp } = yield* counts
        yield* TestClock.adjust("2 hours")
        expect(yield* one).toBe(yield* two)
        expect((yield* counts).signUp).toBe(signUp)
      })
    ).pipe(Effect.provide(ArtaEmulator.layer({ rotateRefreshTokens })))
  )

  it.scoped("shares the account of the process that took over, if both signed up", () =>
    onDisk((disk) =>
      Effect.gen(function* () {
        const { tokens } = yield* blockFirst(disk)
        expect(new Set(tokens).size).toBe(1)
        expect(Option.map(yield* storedToken(disk), ({ idToken }) => idToken)).toEqual(Option.some(tokens[0]))
      })
    ).pipe(Effect.provide(ArtaEmulator.layer()))
  )

  it.scoped("saves the only valid refresh token before the other process signs up", () =>
    onDisk((disk) =>
      Effect.gen(function* () {
        yield* leaveExpired(disk)
        const { tokens } = yield* blockFirst(disk, Effect.sleep("8 seconds"))
        expect(new Set(tokens).size).toBe(1)
        expect(yield* counts).toMatchObject({ signUp: 1, refresh: 2 })
      })
    ).pipe(Effect.provide(ArtaEmulator.layer({ rotateRefreshTokens: true })))
  )

  it.scoped("sends no request before it has the lock again", () =>
    onDisk((disk) =>
      Effect.gen(function* () {
        const { directory, fs } = disk
        yield* leaveExpired(disk)
        const { refresh } = yield* counts
        // Another process takes the lock over while this one reads the session.
        let isTakenOver = false
        const readFileString: FileSystem.FileSystem["readFileString"] = (path, encoding) =>
          fs.readFileString(path, encoding).pipe(
            Effect.tap(() => {
              if (isTakenOver || !path.endsWith(".json")) return Effect.void
              isTakenOver = true
              return fs.writeFileString(`${directory}/credentials.json.lock`, "somebody else")
            })
          )
        const waiting = yield* Effect.fork(yield* program({ ...fs, readFileString }, disk))
        expect(yield* pass(waiting, { seconds: 4 })).toBe(false)
        expect(yield* counts).toMatchObject({ refresh })
        const { expiresIn, idToken, localId, refreshToken } = session("theirs")
        const issuedAt = yield* Clock.currentTimeMillis
        const theirs = new Credentials.Credentials({ expiresIn, idToken, issuedAt, localId, refreshToken })
        yield* Effect.flatMap(disk.open(), (store) => store.save(theirs))
        yield* fs.remove(`${directory}/credentials.json.lock`)
        yield* pass(waiting, { seconds: 1 })
        expect(yield* ended(waiting)).toBe(Redacted.value(theirs.idToken))
        expect(yield* counts).toMatchObject({ refresh })
      })
    ).pipe(Effect.provide(ArtaEmulator.layer()))
  )
})
