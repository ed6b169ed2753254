import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
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

const toLine = (entry: Entry, room: number): Uint8Array => encoder.encode(`${encodeLine(entry)}${" ".repeat(room)}\n`)

// A record id is 36 characters long today. A longer one that does not fit is appended.
const longestRecordId = 64

const roomFor = ({ key }: Entry): number =>
  1 + encodeLine({ _tag: "Submitted", key, recordId: Generation.RecordId.make("0".repeat(longestRecordId)) }).length

/** The bytes of a line, and how many of them are room: spaces at its end for a second entry. */
export interface Line {
  readonly bytes: Uint8Array
  readonly room: number
}

/** An entry as a line. `Submitting` has room for its outcome, so that a full disk loses no record id. */
export const toBytes = (entry: Entry): Line => {
  const room = entry._tag === "Submitting" ? roomFor(entry) : 0
  return { bytes: toLine(entry, room), room }
}

/** An entry as a line of its own that fills the room of another line up to its newline. None: it does not fit. */
export const toFilling = (entry: Entry, room: number): Option.Option<Uint8Array> => {
  const text = encoder.encode(`\n${encodeLine(entry)}`)
  return text.length > room
    ? Option.none()
    : Option.some(Uint8Array.from({ length: room }, (_, index) => text[index] ?? 0x20))
}

export const newline = 0x0a

const decoder = new TextDecoder()

/** What is in the bytes of a journal. */
export interface Parsed {
  readonly entries: ReadonlyArray<Entry>
  /** The numbers of the lines that do not decode. */
  readonly damaged: ReadonlyArray<number>
  /** The length of all but a last line that was cut off. */
  readonly size: number
  /** Whether the last line lacks its newline, as after an edit. */
  readonly isOpen: boolean
}

/**
 * Parses the lines of a journal, or of a part that starts with a line. Ignores blank lines. A last line without a
 * newline counts if it is whole. Otherwise, a power failure or a full disk cut it off, and its entry was never confirmed.
 */
export const parse = (bytes: Uint8Array): Parsed => {
  const completeSize = bytes.lastIndexOf(newline) + 1
  // The decoder drops a byte order mark.
  const lines = decoder.decode(bytes.subarray(0, completeSize)).split("\n")
  const last = decodeLine(decoder.decode(bytes.subarray(completeSize)))
  const [damaged, entries] = Array.partitionMap(
    lines.map((line, index) => ({ line: line.trim(), number: index + 1 })).filter(({ line }) => line !== ""),
    ({ line, number }) => Either.fromOption(decodeLine(line), () => number)
  )
  return {
    entries: [...entries, ...Option.toArray(last)],
    damaged,
    size: Option.isSome(last) ? bytes.length : completeSize,
    isOpen: Option.isSome(last)
  }
}

/** A damaged line could be a submission, which would be sent again. */
export const failIfDamaged = ({ damaged: [number] }: Parsed, location: string): Effect.Effect<void, SetupError> =>
  number === undefined
    ? Effect.void
    : new SetupError({
        message:
          `Line ${String(number)} of ${fileName} is damaged. Correct the line in ${location}. ` +
          "If you remove it instead, its images may be generated a second time. Or choose another directory with -o."
      })
