import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { GenerateRequest, Generation } from "effect-arta"
import { exitCodes, SetupError } from "./errors.js"

/** The name of the journal in its directory. */
export const fileName = "effect-arta.jsonl"

/**
 * A line of the journal. `key` identifies what was requested: a row of a batch, or one run of `generate`. `Submitting`
 * is written before the request is sent, so no crash leads to a second submission.
 */
const Entry = Schema.Union(
  Schema.TaggedStruct("Submitting", {
    key: Schema.String,
    request: GenerateRequest.GenerateRequest,
    name: Schema.String
  }),
  Schema.TaggedStruct("NotAccepted", { key: Schema.String }),
  Schema.TaggedStruct("Submitted", { key: Schema.String, recordId: Generation.RecordId }),
  Schema.TaggedStruct("Saved", { key: Schema.String, files: Schema.Array(Schema.String) }),
  Schema.TaggedStruct("Failed", {
    key: Schema.String,
    error: Schema.optionalWith(Schema.String, { default: () => "GenerationFailedError" }),
    message: Schema.String,
    exitCode: Schema.optionalWith(Schema.Int, { default: () => exitCodes.generationFailed })
  })
)

export type Entry = typeof Entry.Type

// Checks the tag first: a tagged union calls `String` on it, which throws on `{"toString":null}` (effect 3.22).
const Tagged = Schema.Struct({ _tag: Schema.String }, Schema.Record({ key: Schema.String, value: Schema.Unknown }))

const decodeTagged = Schema.decodeOption(Schema.parseJson(Tagged))
const decodeEntry = Schema.decodeUnknownOption(Entry)
const encodeLine = Schema.encodeSync(Schema.parseJson(Entry))

const decodeLine = (line: string): Option.Option<Entry> =>
  Option.flatMap(decodeTagged(line), (tagged) => decodeEntry(tagged))
const encoder = new TextEncoder()

/** An entry as the bytes of a line. */
export const toBytes = (entry: Entry): Uint8Array => encoder.encode(`${encodeLine(entry)}\n`)

// A power failure can cut off the last line. Ignore such a line: its entry was never confirmed.
const completeText = (text: string): string => text.slice(0, text.lastIndexOf("\n") + 1)

const completeLines = (text: string): ReadonlyArray<string> => completeText(text).split("\n").slice(0, -1)

/** The length of the complete lines in bytes. */
export const completeSize = (text: string): number => encoder.encode(completeText(text)).length

/** Whether the last line is cut off. */
export const isCutOff = (text: string): boolean => completeText(text) !== text

/** The entries of all complete lines, without the damaged ones. */
export const parseLeniently = (text: string): ReadonlyArray<Entry> =>
  Array.filterMap(completeLines(text), (line) => decodeLine(line))

/** The entries of all complete lines. A skipped line could cause a second submission, so a damaged one is an error. */
export const parseStrictly = (text: string): Effect.Effect<ReadonlyArray<Entry>, SetupError> =>
  Effect.forEach(completeLines(text), (line, index) =>
    Effect.mapError(
      decodeLine(line),
      () =>
        new SetupError({
          message:
            `Line ${String(index + 1)} of ${fileName} is damaged. ` +
            "Fix or remove the line, or choose another directory."
        })
    )
  )
