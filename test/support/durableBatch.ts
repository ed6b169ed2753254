import { FileSystem, Path } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { SqlClient } from "@effect/sql"
import type { Vitest } from "@effect/vitest"
import { describe, expect, it, layer } from "@effect/vitest"
import { Array, Chunk, Context, Effect, HashMap, Layer, Option, Stream } from "effect"
import { BatchDatabase, DurableBatch } from "effect-arta/batch"
import { decode } from "fast-png"
import { fileURLToPath } from "node:url"
import { startProgram } from "./commandProcess.js"
import * as CountingUpstream from "./countingUpstream.js"
import { databaseLayer } from "./databaseLayer.js"
import * as Postgres from "./postgres.js"
import { bundleProgram } from "./program.js"

const nodeModules = fileURLToPath(new URL("../../node_modules", import.meta.url))

/** The settings of the program runBatch. */
export interface RunnerSettings {
  readonly concurrency: number
  readonly submissionsAtOnce: number
  /** The directory of the images. */
  readonly directory: string
  /** Whether the disk of the images is full. */
  readonly diskFull: boolean
  /** A signal that the runner sends to itself. Default: none. */
  readonly signal?: SelfSignal
}

export interface SelfSignal {
  readonly signal: "SIGKILL" | "SIGSTOP"
  /** When: it has claimed a row, it has written an intent, it has recorded a submission, it has saved the images of a row. */
  readonly at: "claimed" | "intended" | "recorded" | "saved"
  /** How many rows pass that moment before. */
  readonly after: number
}

/** Where tests get empty databases, and the program runBatch. */
class BatchTests extends Context.Tag("effect-arta/test/BatchTests")<
  BatchTests,
  { readonly createDatabase: Effect.Effect<string>; readonly program: string }
>() {}

const temporaryDirectory = Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped())

const layerTests = (createDatabase: Effect.Effect<string>) =>
  Effect.map(temporaryDirectory, (directory) =>
    Effect.map(
      Effect.promise(() => bundleProgram("runBatch", directory)),
      (program) => ({ createDatabase, program })
    )
  ).pipe(Effect.flatten, Layer.scoped(BatchTests))

const postgres = Layer.unwrapEffect(
  Effect.map(Postgres.Postgres, ({ createDatabase }) => layerTests(createDatabase))
).pipe(Layer.provideMerge(Postgres.layer))

const sqlite = Layer.unwrapScoped(
  Effect.map(temporaryDirectory, (directory) =>
    layerTests(Effect.sync(() => `sqlite:${directory}/${crypto.randomUUID()}.sqlite`))
  )
)

type Tests<R> = (it: Vitest.MethodsNonLive<R | BatchTests | NodeContext.NodeContext, true>) => void

/**
 * Runs tests with a layer. `layer` of @effect/vitest 0.30.0 replaces these methods for every file of the same thread, so
 * that they run without test services from then on.
 */
const withLayer = <R, E>(services: Layer.Layer<R, E>, tests: (it: Vitest.MethodsNonLive<R, true>) => void): void => {
  const { effect, flakyTest, layer: nested, prop, scoped } = it
  layer(services, { excludeTestServices: true, timeout: "2 minutes" })(tests)
  Object.assign(it, { effect, flakyTest, layer: nested, prop, scoped })
}

/** Runs tests with a server of PostgreSQL, all at the same time. */
export const onPostgres = (title: string, tests: Tests<Postgres.Postgres>): void => {
  describe.skipIf(Postgres.isSkipped).concurrent(`${title}, on PostgreSQL`, () => {
    withLayer(Layer.provideMerge(postgres, NodeContext.layer), tests)
  })
}

/** Runs tests once for each database, all at the same time. */
export const onEachDatabase = (title: string, tests: Tests<never>): void => {
  onPostgres(title, tests)
  describe.concurrent(`${title}, on SQLite`, () => {
    withLayer(Layer.provideMerge(sqlite, NodeContext.layer), tests)
  })
}

/** Several processes start slowly on a busy machine, and some tests wait for a minute. */
export const timeout = 300_000

/** A database, an upstream and a directory for one batch, and runners in processes of their own. */
export const setUpBatch = (options: CountingUpstream.Options = {}) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const { createDatabase, program } = yield* BatchTests
    const upstream = Context.get(yield* Layer.build(CountingUpstream.layer(options)), CountingUpstream.CountingUpstream)
    const directory = yield* fs.makeTempDirectoryScoped()
    const images = path.join(directory, "images")
    yield* fs.makeDirectory(images)
    const url = yield* createDatabase
    /** Connects to the database as another program would. */
    const connect = Layer.build(
      DurableBatch.layerWithoutLedger().pipe(
        Layer.provideMerge(BatchDatabase.layer()),
        Layer.provideMerge(databaseLayer(url))
      )
    )
    const context = yield* connect
    const batches = Context.get(context, DurableBatch.DurableBatch)
    const sql = Context.get(context, SqlClient.SqlClient)

    const startRunner = (settings: Partial<RunnerSettings> = {}) => {
      const all: RunnerSettings = {
        concurrency: 4,
        submissionsAtOnce: 4,
        directory: images,
        diskFull: false,
        ...settings
      }
      return startProgram([process.execPath, program, url, JSON.stringify(all)], {
        env: { ...upstream.environment, NODE_PATH: nodeModules, ARTA_TOKEN_FILE: `${directory}/credentials.json` }
      })
    }

    const enqueueWith = (service: DurableBatch.Service, rows: number) =>
      service.enqueue(Array.makeBy(rows, (index) => ({ options: { prompt: `animal ${String(index)}`, seed: index } })))

    const enqueue = (rows: number) => Effect.map(enqueueWith(batches, rows), ({ batch }) => batch)

    /** Lets a minute pass in which one runner sends no heartbeat, and all others do. */
    const silence = ({ pid = 0 }: { readonly pid: number | undefined }) =>
      sql`
        UPDATE arta_runners SET
          steady_since = steady_since - 61000,
          heartbeat_at = CASE WHEN pid = ${pid} THEN heartbeat_at - 61000 ELSE heartbeat_at END`

    /** Waits until so many rows have been saved. */
    const saved = (batch: string, rows: number) =>
      batches
        .status(batch)
        .pipe(
          Effect.zipLeft(Effect.sleep("50 millis")),
          Effect.repeat({ until: (status) => status.rows.saved >= rows })
        )

    /**
     * Waits until no row is open, and checks what holds whatever happened to the runners: no prompt was submitted twice,
     * no row is lost, and the files are the images of the saved rows. Returns the number of unknown rows.
     */
    const finish = (batch: string) =>
      Effect.gen(function* () {
        const results = Chunk.toReadonlyArray(yield* Stream.runCollect(batches.results(batch)))
        const { rows } = yield* batches.status(batch)
        expect(rows).toMatchObject({ queued: 0, running: 0, failed: 0, cancelled: 0 })
        const numbers = results.map(({ row }) => row).toSorted((a, b) => a - b)
        expect(numbers, "every row has one result").toEqual(Array.range(1, rows.saved + rows.unknown))

        const submissions = yield* upstream.submissions
        const repeated = HashMap.toEntries(HashMap.filter(submissions, (count) => count > 1))
        expect(repeated, "nothing was submitted twice").toEqual([])

        const saved = results.flatMap(({ outcome, request }) =>
          outcome._tag === "Saved" ? [{ request, ...outcome }] : []
        )
        const submitted = saved.filter(({ request }) => Option.contains(HashMap.get(submissions, request.prompt), 1))
        expect(submitted).toHaveLength(rows.saved)
        const locations = saved.flatMap((row) => row.images.map(({ location }) => path.basename(location)))
        // A killed runner may leave temporary files.
        const files = (yield* fs.readDirectory(images)).filter((name) => !name.endsWith(".tmp"))
        expect(files.toSorted(), "the files are the images of the saved rows").toEqual(locations.toSorted())
        yield* Effect.forEach(files, (name) => Effect.map(fs.readFile(path.join(images, name)), decode))
        return rows.unknown
      })

    return { upstream, batches, connect, startRunner, enqueue, enqueueWith, silence, saved, finish, images }
  })
