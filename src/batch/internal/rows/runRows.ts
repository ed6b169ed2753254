import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberMap from "effect/FiberMap"
import * as HashSet from "effect/HashSet"
import * as Queue from "effect/Queue"
import * as Random from "effect/Random"
import * as Ref from "effect/Ref"
import type { DatabaseError } from "../../BatchDatabase.js"
import type { RunnerError } from "../../BatchError.js"
import type { RowOutcome } from "../../BatchRow.js"
import type { Leases } from "./leases.js"
import type { RowServices } from "./processRow.js"
import { processRow } from "./processRow.js"
import { makeRefusals } from "./refusals.js"
import type { ClaimedRow } from "./storedRow.js"
import { keyOf } from "./storedRow.js"

/** The rows in flight of all runners in this process. */
export interface InFlight {
  readonly keys: Ref.Ref<HashSet.HashSet<string>>
  /** Held while rows are claimed, and while claimed rows are compared with `keys`. */
  readonly mutex: Effect.Semaphore
}

export const makeInFlight: Effect.Effect<InFlight> = Effect.gen(function* () {
  return { keys: yield* Ref.make(HashSet.empty<string>()), mutex: yield* Effect.makeSemaphore(1) }
})

interface Options {
  readonly leases: Leases
  readonly inFlight: InFlight
  readonly concurrency: number
  readonly timeout: Duration.DurationInput
  /** Whether nothing is left to do. Asked while no row is in flight. */
  readonly isDone: Effect.Effect<boolean, DatabaseError>
}

// Rows that are claimed by one statement.
const claimSize = 25

// Rows whose images are in memory at once.
const savingAtOnce = 16

// Collects the rows that end at about the same time, so that one statement claims their successors.
const claimDelay = Duration.millis(50)

const idleDelay = Effect.flatMap(Random.nextIntBetween(2_000, 3_000), (millis) => Effect.sleep(millis))

const maintenanceDelay = Effect.flatMap(Random.nextIntBetween(5_000, 7_000), (millis) => Effect.sleep(millis))

// A stop does not wait for a database that does not respond: the rows are free once the runner counts as dead.
const givingBackTimeout = Duration.seconds(5)

/** Gives back the rows of this runner that nothing works on, and returns the keys of its rows. */
const giveBackForgotten = (leases: Leases, { keys, mutex }: InFlight) =>
  mutex.withPermits(1)(
    Effect.gen(function* () {
      const owned = yield* leases.owned
      const known = yield* Ref.get(keys)
      const forgotten = [...owned].filter((key) => !HashSet.has(known, key))
      if (forgotten.length > 0) yield* leases.giveBack(forgotten)
      return owned
    })
  )

/**
 * Claims rows and processes them, `concurrency` at once, until nothing is left to do. When it stops, submissions under
 * way are recorded first, and the other rows are given back at once.
 */
export const runRows = ({
  concurrency,
  inFlight,
  isDone,
  leases,
  timeout
}: Options): Effect.Effect<void, RunnerError, RowServices> =>
  Effect.gen(function* () {
    const fibers = yield* FiberMap.make<string, unknown, RunnerError>()
    // Has an element once there is room for another row.
    const room = yield* Queue.sliding<undefined>(1)
    const refusals = yield* makeRefusals(Queue.offer(room, undefined))
    const saving = yield* Effect.makeSemaphore(savingAtOnce)
    const forget = (keys: Iterable<string>) => Ref.update(inFlight.keys, HashSet.difference(keys))

    const finish = (row: ClaimedRow, outcome: RowOutcome) =>
      Effect.gen(function* () {
        const isRefused =
          outcome._tag === "Failed" && outcome.error._tag === "ResponseError" && outcome.error.operation === "submit"
        if (isRefused) yield* refusals.refused(row, outcome.error)
        yield* leases.finish(row, outcome)
      })

    const work = (row: ClaimedRow) =>
      processRow(row, { timeout, accepted: refusals.accepted, limitSaving: saving.withPermits(1) }).pipe(
        Effect.flatMap((outcome) => finish(row, outcome)),
        Effect.ensuring(Effect.zipRight(forget([keyOf(row)]), Queue.offer(room, undefined)))
      )

    const claim = (count: number) =>
      inFlight.mutex.withPermits(1)(
        Effect.gen(function* () {
          const rows = yield* leases.claim(count)
          yield* Ref.update(inFlight.keys, HashSet.union(rows.map(keyOf)))
          yield* Effect.forEach(rows, (row) => FiberMap.run(fibers, keyOf(row), work(row)), { discard: true })
          return rows.length
        })
      )

    const claimOrWait = Effect.gen(function* () {
      const active = (yield* FiberMap.size(fibers)) - (yield* refusals.waiting)
      if (active >= concurrency) {
        yield* Effect.zipRight(Queue.take(room), Effect.sleep(claimDelay))
        return false
      }
      if ((yield* claim(Math.min(claimSize, concurrency - active))) > 0) return false
      if (active === 0) yield* refusals.end
      if ((yield* FiberMap.size(fibers)) === 0) {
        if (yield* isDone) return true
        yield* idleDelay
      } else {
        yield* Effect.race(idleDelay, FiberMap.awaitEmpty(fibers))
      }
      return false
    })

    /** Stops working on the rows that other runners have taken over, for example while this process was suspended. */
    const dropLost = Effect.gen(function* () {
      const before = new Map(fibers)
      const owned = yield* giveBackForgotten(leases, inFlight)
      const lost = [...before].filter(([key]) => !owned.has(key))
      yield* Effect.forEach(lost, ([, fiber]) => Fiber.interruptFork(fiber), { discard: true })
    })

    const maintain = Effect.forever(Effect.zipRight(leases.recover, Effect.zipRight(dropLost, maintenanceDelay)))

    const stop = Effect.gen(function* () {
      const rows = new Map(fibers)
      yield* Effect.forEach(rows.values(), Fiber.interruptFork, { discard: true })
      yield* forget(rows.keys())
      yield* giveBackForgotten(leases, inFlight).pipe(
        Effect.interruptible,
        Effect.disconnect,
        Effect.timeoutOption(givingBackTimeout),
        Effect.ignoreLogged
      )
    })

    yield* Effect.addFinalizer(() => stop)
    yield* Effect.repeat(claimOrWait, { until: (isOver) => isOver }).pipe(
      Effect.raceFirst(FiberMap.join(fibers)),
      Effect.raceFirst(maintain)
    )
  }).pipe(Effect.scoped)
