import * as Console from "effect/Console"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { GenerateRequest, Generation } from "effect-arta"

const recordId = Generation.RecordId
const elapsed = Schema.DurationFromMillis
const row = Schema.optional(Schema.Int)

/** A line of `--json`. Durations are in milliseconds. `row` is the line or record number in the batch file. */
export const Line = Schema.Union(
  Schema.TaggedStruct("Submitted", { recordId, request: GenerateRequest.GenerateRequest, row }),
  Schema.TaggedStruct("Queued", { recordId, elapsed, row }),
  Schema.TaggedStruct("InProgress", { recordId, elapsed, row }),
  Schema.TaggedStruct("Completed", {
    recordId,
    elapsed,
    images: Schema.Array(Generation.Image),
    missing: Schema.Int,
    row
  }),
  Schema.TaggedStruct("Saved", { recordId, path: Schema.String, row }),
  Schema.TaggedStruct("Failed", {
    error: Schema.String,
    message: Schema.String,
    recordId: Schema.optional(recordId),
    row
  })
)

export type Line = typeof Line.Type

const encode = Schema.encodeSync(Line)

export const formatLine = (line: Line, row?: number): string => JSON.stringify({ ...encode(line), row })

export const printLine = (line: Line, row?: number): Effect.Effect<void> => Console.log(formatLine(line, row))
