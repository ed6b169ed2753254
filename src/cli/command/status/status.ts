import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { DurableBatch } from "effect-arta/batch"
import type { DatabaseOptions } from "../../shared/database/databaseOptions.js"
import { batchDatabase, toFailure } from "../../shared/database/batchServices.js"
import { chooseDatabase } from "../../shared/database/chooseDatabase.js"
import { findBatch } from "../../shared/database/findBatch.js"
import type { Failure } from "../../shared/errors.js"
import { UsageError } from "../../shared/errors.js"
import { withSettings } from "../../shared/settings.js"
import { readStatus } from "./readStatus.js"
import { detailsOf, overviewOf } from "./statusText.js"
import { formatView } from "./statusView.js"

export interface Input extends DatabaseOptions {
  /** The name of a batch, or its start. None: all batches. */
  readonly batch: Option.Option<string>
  readonly json: boolean
  readonly watch: boolean
  readonly serve: boolean
  /** The port to serve on. 0: a free one. */
  readonly port: number
  readonly emulator: boolean
}

const noBatches =
  "There are no batches in this database for this service. Enqueue one: effect-arta batch FILE --database"

const printStatus = (batch: string | undefined, { json }: Input) =>
  Effect.gen(function* () {
    const view = yield* readStatus(batch)
    if (json) return yield* Effect.forEach(view.batches, (one) => Console.log(formatView(one)), { discard: true })
    const lines = batch === undefined ? overviewOf(view) : detailsOf(view)
    yield* lines.length === 0 ? Console.error(noBatches) : Console.log(lines.join("\n"))
  })

const show = (shown: string, input: Input) =>
  Effect.gen(function* () {
    const batch = yield* Effect.transposeMapOption(input.batch, findBatch)
    const name = Option.getOrUndefined(batch)
    if (input.serve) {
      const { serveStatus } = yield* Effect.promise(() => import("./serve.js"))
      return yield* serveStatus(shown, name, input.port)
    }
    if (!input.watch) return yield* printStatus(name, input)
    const { watchStatus } = yield* Effect.promise(() => import("./watchStatus.js"))
    yield* watchStatus(name, input)
  })

/** Prints where the batches of a database stand, follows them, or serves a page that does. */
export const status = (input: Input): Effect.Effect<void, Failure, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    if (input.serve && (input.watch || input.json)) {
      return yield* new UsageError({ message: "--serve shows a page, --watch and --json print. Choose one of them." })
    }
    const { url } = yield* chooseDatabase(input, "images")
    const services = Layer.provide(DurableBatch.layerWithoutLedger(), batchDatabase(url, input, "fail"))
    yield* show(url.shown, input).pipe(Effect.mapError(toFailure(url)), Effect.provide(services))
  }).pipe((effect) => (input.emulator ? effect : withSettings(effect)))
