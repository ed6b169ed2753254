import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { DurableBatch } from "effect-arta/batch"
import { quote } from "shell-quote"
import { batchDatabase, toFailure, toSetupError } from "../shared/database/batchServices.js"
import { chooseDatabase } from "../shared/database/chooseDatabase.js"
import type { DatabaseOptions } from "../shared/database/databaseOptions.js"
import { findBatch } from "../shared/database/findBatch.js"
import type { Failure } from "../shared/errors.js"
import { UsageError } from "../shared/errors.js"
import { withSettings } from "../shared/settings.js"
import { ask, countOf } from "./batch/confirm.js"

export interface Input extends DatabaseOptions {
  readonly batch: string
  readonly unknown: boolean
  readonly yes: boolean
  readonly emulator: boolean
}

/** Asks on a terminal. Without one, only `--yes` says that the rows may be paid twice. */
const confirm = (count: number, yes: boolean) =>
  Effect.gen(function* () {
    const risk = `${countOf(count, "row")} may have been accepted already, and may be paid twice.`
    if (yes) return yield* Console.error(risk)
    if (!process.stdin.isTTY || !process.stderr.isTTY) {
      return yield* new UsageError({ message: `${risk} To submit them again all the same, add --yes.` })
    }
    if (yield* ask(`${risk} Submit again? [y/N] `)) return
    yield* Console.error("Nothing was changed.")
    yield* Effect.interrupt
  })

const retryUnknown = (input: Input, flag: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const batch = yield* findBatch(input.batch)
    const { rows } = yield* DurableBatch.status(batch)
    if (rows.unknown === 0) return yield* Console.error(`No row of ${batch} is unknown.`)
    yield* confirm(rows.unknown, input.yes)
    const count = yield* DurableBatch.retryUnknown(batch)
    const runner = quote(["effect-arta", "runner", ...flag, ...(input.emulator ? ["--emulator"] : [])])
    yield* Console.error(`${countOf(count, "row")} of ${batch} queued again. A runner submits them: ${runner}`)
  })

/** Queues the rows of a batch again whose submissions are unknown. */
export const retry = (input: Input): Effect.Effect<void, Failure, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    if (!input.unknown) {
      return yield* new UsageError({
        message: "retry needs --unknown: it submits rows again that the service may have accepted already."
      })
    }
    const { flag, url } = yield* chooseDatabase(input, "images")
    const services = DurableBatch.layer().pipe(
      Layer.mapError(toSetupError(url)),
      Layer.provide(batchDatabase(url, input, "fail"))
    )
    yield* retryUnknown(input, flag).pipe(Effect.mapError(toFailure(url)), Effect.provide(services))
  }).pipe((effect) => (input.emulator ? effect : withSettings(effect)))
