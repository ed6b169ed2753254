/**
 * Lets all processes that share a database heed the rate limit of the image service: when it refuses a request of one
 * process, the others send nothing either until its `Retry-After` has passed.
 *
 * Each process still learns by itself how many requests the service accepts. A refusal is one write to the table
 * `cooldowns`, and each process reads that table once a second.
 *
 * @example
 * ```ts
 * import { SqliteClient } from "@effect/sql-sqlite-node"
 * import { BatchDatabase, SharedRateLimit } from "effect-arta/batch"
 * import { NodeArta } from "effect-arta/node"
 * import { Layer } from "effect"
 *
 * export const SharedLayer = SharedRateLimit.layer.pipe(
 *   Layer.provideMerge(NodeArta.layer({ apiKey: "the key of a project" })),
 *   Layer.provide(BatchDatabase.layer()),
 *   Layer.provide(SqliteClient.layer({ filename: "images.sqlite" }))
 * )
 * ```
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type { Scope } from "effect/Scope"
import type { Service } from "../ArtaApi.js"
import { ArtaApi } from "../ArtaApi.js"
import { RateLimitedError } from "../ArtaError.js"
import { BatchDatabase } from "./BatchDatabase.js"

const Rows = Schema.Array(Schema.Struct({ silentUntil: Schema.Number, left: Schema.Number }))
const decodeRows = Schema.decodeUnknownOption(Rows)

const monotonicMillis = Effect.clockWith((clock) => Effect.sync(() => Number(clock.unsafeCurrentTimeNanos()) / 1e6))

// Milliseconds. A service that does not say how long to wait may accept a request after a second.
const shortestSilence = 1_000
// A refusal that ends about when a known one ends says nothing new.
const tolerance = 1_000

/**
 * Makes an `ArtaApi` that heeds the rate limit of all processes, on top of the program's own.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<Service, never, ArtaApi | BatchDatabase | Scope> = Effect.gen(function* () {
  const api = yield* ArtaApi
  const { now, run, sql, table } = yield* BatchDatabase
  const cooldowns = table("cooldowns")
  const service = api.apiUrl ?? "unknown"
  /** On this process's monotonic clock. */
  const silentUntil = yield* Ref.make(0)
  /** The end that was read last, on the database's clock. */
  const lastRead = yield* Ref.make(0)

  const left = Effect.zipWith(silentUntil, monotonicMillis, (until, at) => Duration.millis(Math.max(0, until - at)))

  const heed = (millis: number) =>
    Effect.flatMap(monotonicMillis, (at) => Ref.update(silentUntil, (until) => Math.max(until, at + millis)))

  const read = run(
    "read the rate limit",
    sql`SELECT silent_until AS "silentUntil", silent_until - ${now} AS "left" FROM ${cooldowns} WHERE service = ${service}`
  ).pipe(
    Effect.map((rows) => Option.flatMapNullable(decodeRows(rows), ([row]) => row)),
    Effect.flatMap(
      Option.match({
        onNone: () => Effect.void,
        // The length counts from the moment when it is first read: the clocks may differ.
        onSome: (row) =>
          Effect.whenEffect(
            heed(row.left),
            Effect.map(Ref.getAndSet(lastRead, row.silentUntil), (before) => before !== row.silentUntil)
          )
      })
    ),
    Effect.catchAll((error) => Effect.logDebug(error.message))
  )

  const write = (millis: number) =>
    run(
      "share the rate limit",
      sql`INSERT INTO ${cooldowns} AS c (service, silent_until, refused_at)
          VALUES (${service}, ${now} + ${millis}, ${now})
          ON CONFLICT (service) DO UPDATE SET silent_until = excluded.silent_until, refused_at = excluded.refused_at
          WHERE c.silent_until < excluded.silent_until`
    ).pipe(Effect.catchAll((error) => Effect.logWarning(error.message)))

  const share = ({ retryAfter }: RateLimitedError) =>
    Effect.flatMap(left, (known) => {
      const millis = Math.max(shortestSilence, Duration.toMillis(retryAfter ?? Duration.zero))
      const isKnown = millis <= Duration.toMillis(known) + tolerance && Duration.toMillis(known) > 0
      return isKnown ? Effect.void : Effect.zipRight(heed(millis), Effect.forkDaemon(write(millis)))
    })

  const awaitEnd: Effect.Effect<void> = Effect.flatMap(left, (rest) =>
    Duration.toMillis(rest) > 0 ? Effect.zipRight(Effect.sleep(rest), awaitEnd) : Effect.void
  )

  const limitSubmissions = api.limitSubmissions ?? identity

  yield* Effect.forkScoped(Effect.schedule(read, Schedule.spaced("1 second")))
  yield* read

  return {
    ...api,
    // Before `SubmissionLedger` writes an intent, and before the deadline of `Arta.run` starts.
    limitSubmissions: (submission) => Effect.zipRight(awaitEnd, limitSubmissions(submission)),
    submit: (request) =>
      Effect.flatMap(left, (retryAfter) =>
        Duration.toMillis(retryAfter) > 0
          ? Effect.fail(new RateLimitedError({ operation: "submit", retryAfter }))
          : Effect.tapErrorTag(api.submit(request), "RateLimitedError", share)
      ),
    status: (id) => Effect.zipRight(awaitEnd, Effect.tapErrorTag(api.status(id), "RateLimitedError", share))
  }
})

/**
 * Decorates the program's `ArtaApi`: provide the API below it, and use the result.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<ArtaApi, never, ArtaApi | BatchDatabase> = Layer.scoped(ArtaApi, make)
