import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
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

const decodeEntry = Schema.decodeUnknownOption(Entry)
const encodeLine = Schema.encodeSync(Schema.parseJson(Entry))
const parseJson = Option.liftThrowable((text: string): unknown => JSON.parse(text))

// A tagged union calls `String` on the tag, which throws on `{"toString":null}` (effect 3.22).
const hasTag = (value: unknown): boolean => Predicate.hasProperty(value, "_tag") && Predicate.isString(value._tag)

const decodeLine = (line: string): Option.Option<Entry> =>
  parseJson(line).pipe(Option.filter(hasTag), Option.flatMap(decodeEntry))

export const newline = 0x0a
export const space = 0x20

const encoder = new TextEncoder()

const toLine = (entry: Entry, room: number): Uint8Array => encoder.encode(`${encodeLine(entry)}${" ".repeat(room)}\n`)

// A record id is 36 characters long today. One that does not fit is appended.
const longestRecordId = 64

const roomFor = ({ key }: Entry): number =>
  '\n{"_tag":"Submitted","key":,"recordId":""}'.length + JSON.stringify(key).length + longestRecordId

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
  if (text.length > room) return Option.none()
  const filling = new Uint8Array(room).fill(space)
  filling.set(text)
  return Option.some(filling)
}

// Three times as fast as a `TextDecoder`. It keeps a byte order mark, which `trim` removes.
const decodeText = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8")

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
 * newline counts if it is whole. Otherwise, a power failure or a full disk cut it off, and its entry was never
 * confirmed.
 */
export const parse = (bytes: Uint8Array): Parsed => {
  const completeSize = bytes.lastIndexOf(newline) + 1
  const lines = decodeText(bytes.subarray(0, completeSize)).split("\n")
  const last = decodeLine(decodeText(bytes.subarray(completeSize)).trim())
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
