import * as Arr from "effect/Array"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import type { BatchDatabase } from "../../BatchDatabase.js"

/** A lock between processes, in a row of the table of sessions. */
export interface SessionLock<E> {
  /** Runs an effect while this process holds the lock. `holder` identifies this hold. */
  readonly hold: <A, E2, R>(use: (holder: string) => Effect.Effect<A, E2, R>) => Effect.Effect<A, E | E2, R>
}

// Milliseconds. A live holder renews its lock four times before it expires.
const heldFor = 10_000
const renewal = "2500 millis"
const longestWait = 60_000

const retryInterval = Effect.flatMap(Random.nextIntBetween(50, 151), (millis) => Effect.sleep(millis))

/** The lock of a dead process expires on the database's clock. `failure` makes an error from a reason. */
export const makeSessionLock = <E>(
  { now, run, sql, table }: typeof BatchDatabase.Service,
  name: string,
  failure: (reason: string) => E
): SessionLock<E> => {
  const sessions = table("sessions")

  const tryTake = (holder: string) =>
    run(
      "lock the session",
      sql`INSERT INTO ${sessions} AS s (name, version, written_at, holder, held_until)
          VALUES (${name}, 'none', ${now}, ${holder}, ${now} + ${heldFor})
          ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, held_until = excluded.held_until
          WHERE s.holder IS NULL OR s.holder = excluded.holder OR s.held_until < ${now}
          RETURNING name`
    ).pipe(
      Effect.map(Arr.isNonEmptyReadonlyArray),
      Effect.mapError(({ reason }) => failure(reason))
    )

  // Only the waits can be interrupted: a lock that was taken must be released.
  const take = (holder: string, restore: <A, E2, R>(wait: Effect.Effect<A, E2, R>) => Effect.Effect<A, E2, R>) =>
    Effect.flatMap(Clock.currentTimeMillis, (since) => {
      const attempt: Effect.Effect<void, E> = Effect.flatMap(tryTake(holder), (isTaken) => {
        if (isTaken) return Effect.void
        return Effect.flatMap(Clock.currentTimeMillis, (at) =>
          at - since > longestWait
            ? Effect.fail(failure("another process has held its lock for a minute"))
            : Effect.zipRight(restore(retryInterval), attempt)
        )
      })
      return attempt
    })

  const renew = (holder: string) =>
    run(
      "renew the lock of the session",
      sql`UPDATE ${sessions} SET held_until = ${now} + ${heldFor} WHERE name = ${name} AND holder = ${holder}`
    ).pipe(Effect.ignore, Effect.schedule(Schedule.spaced(renewal)))

  // A stop does not wait for a database that does not respond: the lock expires.
  const release = (holder: string) =>
    run(
      "unlock the session",
      sql`UPDATE ${sessions} SET holder = NULL, held_until = NULL WHERE name = ${name} AND holder = ${holder}`
    ).pipe(Effect.interruptible, Effect.disconnect, Effect.timeoutOption("3 seconds"), Effect.ignore)

  return {
    hold: (use) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.gen(function* () {
          const holder = yield* Effect.sync(() => crypto.randomUUID())
          yield* take(holder, restore)
          const renewing = Effect.forkScoped(Effect.interruptible(renew(holder)))
          return yield* Effect.zipRight(renewing, restore(use(holder))).pipe(
            Effect.scoped,
            Effect.ensuring(release(holder))
          )
        })
      )
  }
}
