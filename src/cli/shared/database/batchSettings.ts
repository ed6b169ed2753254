import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { BatchStatus } from "effect-arta/batch"
import { DurableBatch } from "effect-arta/batch"
import { hostname } from "node:os"

/** What the command notes with a batch, for the runners. */
export const Settings = Schema.Struct({
  /** The absolute path of the directory for the images, and the host that has it. */
  directory: Schema.String,
  host: Schema.String,
  metadata: Schema.Literal("full", "none"),
  /** The absolute path of the file of prompts. - is standard input. */
  file: Schema.String,
  /** How often `--again` generated the file before. */
  round: Schema.NumberFromString
})

export type Settings = typeof Settings.Type

const decode = Schema.decodeUnknownOption(Settings)

export const encode = Schema.encodeSync(Settings)

/** The settings of a batch. None: another program has enqueued it. */
export const settingsOf = ({ settings }: BatchStatus.BatchSummary): Option.Option<Settings> => decode(settings)

/** Whether a path means the same here. */
export const isHere = ({ host }: Settings): boolean => host === hostname()

/** Reads the settings of a batch. */
export const readSettings = (batch: string) =>
  Effect.gen(function* () {
    const { batches } = yield* DurableBatch.DurableBatch
    return Option.flatMap(Option.fromNullable((yield* batches).find((summary) => summary.batch === batch)), settingsOf)
  })
