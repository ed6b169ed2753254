/**
 * Batches of generations in a database, which any number of runners on any number of machines work through together.
 *
 * `enqueue` writes the rows, and `run` runs them: it claims a few rows at a time, submits each at most once, and saves
 * its images. If a runner dies, the others resume its rows. Nothing is submitted twice: a row whose submission the
 * service may or may not have accepted becomes `unknown`, and is sent again only after `retryUnknown`.
 *
 * @example
 * ```ts
 * import { SqliteClient } from "@effect/sql-sqlite-node"
 * import { BatchDatabase, DurableBatch, ImageSink } from "effect-arta/batch"
 * import { NodeArta } from "effect-arta/node"
 * import { Console, Effect, Layer, Stream } from "effect"
 *
 * const database = BatchDatabase.layer().pipe(Layer.provide(SqliteClient.layer({ filename: "images.sqlite" })))
 *
 * const runner = DurableBatch.layer().pipe(
 *   Layer.provide(database),
 *   Layer.merge(ImageSink.layerDirectory("images")),
 *   Layer.provideMerge(NodeArta.layerConfig())
 * )
 *
 * export const program = Effect.gen(function* () {
 *   const rows = [{ options: { prompt: "a fox" } }, { options: { prompt: "a hare" } }]
 *   const { batch } = yield* DurableBatch.enqueue(rows)
 *   yield* DurableBatch.runUntilDone(batch)
 *   yield* Stream.runForEach(DurableBatch.results(batch), ({ name, outcome }) => Console.log(name, outcome._tag))
 * }).pipe(Effect.provide(runner))
 * ```
 *
 * @since 0.1.0
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import type * as Arta from "../Arta.js"
import type { ArtaApi } from "../ArtaApi.js"
import { InvalidRequestError } from "../ArtaError.js"
import type { Auth } from "../Auth.js"
import type { DatabaseError } from "./BatchDatabase.js"
import { BatchDatabase } from "./BatchDatabase.js"
import type { BatchNotFoundError, InvalidRowsError, RowConflictError, RunnerError } from "./BatchError.js"
import type { Row, RowResult } from "./BatchRow.js"
import type { BatchSettings, BatchStatus, BatchSummary } from "./BatchStatus.js"
import type { ImageSink } from "./ImageSink.js"
import * as Change from "./internal/rows/changeBatch.js"
import * as Enqueue from "./internal/rows/enqueue.js"
import { batchIdOf } from "./internal/rows/hash.js"
import { makeLeases } from "./internal/rows/leases.js"
import { readResults } from "./internal/rows/readResults.js"
import { readBatches, readStatus } from "./internal/rows/readStatus.js"
import { makeInFlight, runRows } from "./internal/rows/runRows.js"
import * as Ledger from "./SubmissionLedger.js"
import { SubmissionLedger } from "./SubmissionLedger.js"

/**
 * What `enqueue` did. `added` counts the new rows, `existing` those that the batch had already.
 *
 * @since 0.1.0
 * @category models
 */
export interface Enqueued {
  readonly batch: string
  readonly added: number
  readonly existing: number
}

/**
 * Why rows could not be enqueued.
 *
 * @since 0.1.0
 * @category models
 */
export type EnqueueError = InvalidRequestError | InvalidRowsError | RowConflictError | DatabaseError

/**
 * The services that a runner needs.
 *
 * @since 0.1.0
 * @category models
 */
export type RunnerServices = SubmissionLedger | ImageSink | ArtaApi | Auth | HttpClient.HttpClient

/**
 * @since 0.1.0
 * @category models
 */
export interface EnqueueOptions {
  /** The name of the batch, at most 200 characters. Default: a hash of the rows. Required for a stream of rows. */
  readonly batch?: string | undefined
  /** Whether more than 8 images or more than 100 steps are invalid. See `Arta.Settings`. Default: `"service"`. */
  readonly limits?: Arta.Settings["limits"]
  /** What to store with the batch if it is new, such as the directory of its images. `batches` returns it. */
  readonly settings?: BatchSettings | undefined
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** See `enqueue`. */
  readonly enqueue: (rows: Iterable<Row>, options?: EnqueueOptions) => Effect.Effect<Enqueued, EnqueueError>
  /** See `enqueueStream`. */
  readonly enqueueStream: <E, R>(
    rows: Stream.Stream<Row, E, R>,
    options: EnqueueOptions & { readonly batch: string }
  ) => Effect.Effect<Enqueued, EnqueueError | E, R>
  /** See `run`. */
  readonly run: Effect.Effect<never, RunnerError, RunnerServices>
  /** See `runUntilDone`. */
  readonly runUntilDone: (batch: string) => Effect.Effect<void, RunnerError | BatchNotFoundError, RunnerServices>
  /** See `status`. */
  readonly status: (batch: string) => Effect.Effect<BatchStatus, BatchNotFoundError | DatabaseError>
  /** See `results`. */
  readonly results: (batch: string) => Stream.Stream<RowResult, BatchNotFoundError | DatabaseError>
  /** See `retryUnknown`. */
  readonly retryUnknown: (batch: string) => Effect.Effect<number, BatchNotFoundError | DatabaseError, SubmissionLedger>
  /** See `cancel`. */
  readonly cancel: (batch: string) => Effect.Effect<number, BatchNotFoundError | DatabaseError>
  /** See `batches`. */
  readonly batches: Effect.Effect<ReadonlyArray<BatchSummary>, DatabaseError>
}

/**
 * @since 0.1.0
 * @category tags
 */
export class DurableBatch extends Context.Tag("effect-arta/DurableBatch")<DurableBatch, Service>() {}

/**
 * @since 0.1.0
 * @category options
 */
export interface Options {
  /** How many rows a runner works on at once. Default: 32. */
  readonly concurrency?: number | undefined
  /** How long a runner waits for a generation before the row fails, with its record id. Default: 1 hour. */
  readonly timeout?: Duration.DurationInput | undefined
}

const longestName = 200

const checkName = (batch: string): Effect.Effect<void, InvalidRequestError> =>
  batch.trim() !== "" && batch.length <= longestName && !/\p{Cc}/u.test(batch)
    ? Effect.void
    : new InvalidRequestError({
        field: "batch",
        value: JSON.stringify(batch).slice(0, 100),
        allowed: `a name of at most ${String(longestName)} characters that is not blank`
      })

/**
 * @since 0.1.0
 * @category options
 */
export interface RunnerOptions extends Options, Ledger.Options {}

const make = ({ concurrency = 32, timeout = "1 hour" }: Options): Effect.Effect<Service, never, BatchDatabase> =>
  Effect.gen(function* () {
    const database = yield* BatchDatabase
    const inFlight = yield* makeInFlight

    const enqueueStream: Service["enqueueStream"] = (rows, { batch, limits, settings = {} }) =>
      checkName(batch).pipe(
        Effect.zipRight(Enqueue.enqueue(rows, { database, batch, limits, settings })),
        Effect.map(({ added, total }) => ({ batch, added, existing: total - added }))
      )

    const runRowsOf = (batch: string | undefined, isDone: Effect.Effect<boolean, DatabaseError>) =>
      Effect.flatMap(SubmissionLedger, ({ owner }) =>
        runRows({ leases: makeLeases(database, owner, batch), inFlight, concurrency, timeout, isDone })
      )

    return {
      enqueue: (rows, options = {}) =>
        Effect.suspend(() => {
          const all = Array.from(rows)
          return enqueueStream(Stream.fromIterable(all), { ...options, batch: options.batch ?? batchIdOf(all) })
        }),
      enqueueStream,
      run: Effect.zipRight(runRowsOf(undefined, Effect.succeed(false)), Effect.never),
      runUntilDone: (batch) =>
        Effect.zipRight(
          Change.checkBatch(database, batch),
          runRowsOf(
            batch,
            Effect.map(Change.hasOpenRows(database, batch), (hasOpen) => !hasOpen)
          )
        ),
      status: (batch) => readStatus(database, batch),
      results: (batch) => readResults(database, batch),
      retryUnknown: (batch) => Change.retryUnknown(database, batch),
      cancel: (batch) => Change.cancel(database, batch),
      batches: readBatches(database)
    }
  })

/**
 * Provides the batches, and `SubmissionLedger.layerSql`, whose heartbeat shows the process as a runner.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: RunnerOptions = {}
): Layer.Layer<DurableBatch | SubmissionLedger, DatabaseError, BatchDatabase> =>
  Layer.merge(layerWithoutLedger(options), Ledger.layerSql(options))

/**
 * Provides the batches alone, for a program that only enqueues rows and reads results, or that has its own ledger.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerWithoutLedger = (options: Options = {}): Layer.Layer<DurableBatch, never, BatchDatabase> =>
  Layer.effect(DurableBatch, make(options))

/**
 * Writes rows to the database. Every row is checked first, and gets its random seed now. Enqueuing the same rows again
 * adds nothing. Sends nothing to the service.
 *
 * Rows are written 500 at a time. Fails with `InvalidRowsError`, which names each invalid row, or with `RowConflictError`
 * if the batch has another row with the same number, and then writes none of these 500 and no later ones.
 *
 * @since 0.1.0
 * @category batches
 */
export const enqueue = (
  rows: Iterable<Row>,
  options?: EnqueueOptions
): Effect.Effect<Enqueued, EnqueueError, DurableBatch> =>
  Effect.flatMap(DurableBatch, (batches) => batches.enqueue(rows, options))

/**
 * Writes rows that come from a stream, as `enqueue` does. It holds 500 rows in memory. Runners start on the first rows
 * while others are still to come.
 *
 * @since 0.1.0
 * @category batches
 */
export const enqueueStream = <E, R>(
  rows: Stream.Stream<Row, E, R>,
  options: EnqueueOptions & { readonly batch: string }
): Effect.Effect<Enqueued, EnqueueError | E, DurableBatch | R> =>
  Effect.flatMap(DurableBatch, (batches) => batches.enqueueStream(rows, options))

/**
 * Runs the rows of all batches, old ones first, and waits for more. Any number of programs can run at once.
 *
 * Interrupting it is a graceful stop: submissions under way finish and are recorded, and the other rows are free for
 * other runners at once. If the process is killed, they are free after 20 seconds without its heartbeat. Fails only
 * with errors that affect every row, such as a full disk, and gives the rows back.
 *
 * @since 0.1.0
 * @category running
 */
export const run: Effect.Effect<never, RunnerError, DurableBatch | RunnerServices> = Effect.flatMap(
  DurableBatch,
  (batches) => batches.run
)

/**
 * Runs the rows of one batch, until none of them is open. Other runners may take part.
 *
 * @since 0.1.0
 * @category running
 */
export const runUntilDone = (
  batch: string
): Effect.Effect<void, RunnerError | BatchNotFoundError, DurableBatch | RunnerServices> =>
  Effect.flatMap(DurableBatch, (batches) => batches.runUntilDone(batch))

/**
 * Reads the status of a batch. Fails with `BatchNotFoundError` if there is no such batch.
 *
 * @since 0.1.0
 * @category batches
 */
export const status = (batch: string): Effect.Effect<BatchStatus, BatchNotFoundError | DatabaseError, DurableBatch> =>
  Effect.flatMap(DurableBatch, (batches) => batches.status(batch))

/**
 * Emits the rows of a batch in the order in which they end, whichever runner has them. Ends when no row is open. A row
 * that was unknown is emitted again if its submission is recorded late or sent again.
 *
 * @since 0.1.0
 * @category batches
 */
export const results = (batch: string): Stream.Stream<RowResult, BatchNotFoundError | DatabaseError, DurableBatch> =>
  Stream.unwrap(Effect.map(DurableBatch, (batches) => batches.results(batch)))

/**
 * Queues the unknown rows of a batch. The runner that claims one sends it again. Look for their images at the service
 * first: a row whose submission was accepted is paid for twice. Returns the number of rows.
 *
 * @since 0.1.0
 * @category batches
 */
export const retryUnknown = (
  batch: string
): Effect.Effect<number, BatchNotFoundError | DatabaseError, DurableBatch | SubmissionLedger> =>
  Effect.flatMap(DurableBatch, (batches) => batches.retryUnknown(batch))

/**
 * Cancels the rows of a batch that no runner has claimed. The others finish and are recorded. Returns the number of
 * cancelled rows.
 *
 * @since 0.1.0
 * @category batches
 */
export const cancel = (batch: string): Effect.Effect<number, BatchNotFoundError | DatabaseError, DurableBatch> =>
  Effect.flatMap(DurableBatch, (batches) => batches.cancel(batch))

/**
 * Lists all batches, the newest first.
 *
 * @since 0.1.0
 * @category batches
 */
export const batches: Effect.Effect<ReadonlyArray<BatchSummary>, DatabaseError, DurableBatch> = Effect.flatMap(
  DurableBatch,
  (service) => service.batches
)
