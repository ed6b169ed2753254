import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { UsageError } from "../../../shared/errors.js"

const byteOrderMarks = [
  { encoding: "utf-8", bytes: [0xef, 0xbb, 0xbf] },
  { encoding: "utf-16le", bytes: [0xff, 0xfe] },
  { encoding: "utf-16be", bytes: [0xfe, 0xff] }
] as const

const startsWith = (bytes: Uint8Array, start: ReadonlyArray<number>): boolean =>
  start.every((byte, index) => bytes[index] === byte)

const examples =
  "Save it as UTF-8, or name its encoding: --encoding windows-1252 (a CSV file from Excel on Windows), " +
  "utf-16le, shift_jis, gb18030 or another one."

/** Formats of spreadsheets that people take for tables, by their first bytes. */
const isWorkbook = (bytes: Uint8Array): boolean =>
  startsWith(bytes, [0x50, 0x4b, 0x03, 0x04]) || startsWith(bytes, [0xd0, 0xcf, 0x11, 0xe0])

/** In UTF-16, every other byte of a Latin text is zero. UTF-8 allows that, but nobody writes it. */
const looksLikeUtf16 = (bytes: Uint8Array): boolean => {
  const start = bytes.subarray(0, 1000)
  return start.filter((byte) => byte === 0).length > start.length / 5
}

const decoderOf = (encoding: string): Either.Either<TextDecoder, UsageError> =>
  Either.try({
    // The decoder drops a byte order mark.
    try: () => new TextDecoder(encoding, { fatal: true }),
    catch: () =>
      new UsageError({
        message: `--encoding ${encoding} is unknown. Use a name such as utf-8, utf-16le, windows-1252 or shift_jis.`
      })
  })

/** Reads bytes as text. A byte order mark decides, then `--encoding`, then UTF-8. Wrong bytes are an error. */
export const decodeText = (
  file: string,
  bytes: Uint8Array,
  encoding: Option.Option<string>
): Effect.Effect<string, UsageError> =>
  Effect.gen(function* () {
    const given = yield* Option.match(encoding, {
      onNone: () => Either.right("utf-8"),
      onSome: (label) => Either.map(decoderOf(label), () => label)
    })
    if (isWorkbook(bytes)) {
      return yield* new UsageError({ message: `${file} is a workbook or an archive. Export it as CSV (UTF-8).` })
    }
    const mark = byteOrderMarks.find((candidate) => startsWith(bytes, candidate.bytes))
    if (mark === undefined && Option.isNone(encoding) && looksLikeUtf16(bytes)) {
      return yield* new UsageError({
        message: `${file} looks like UTF-16 without a byte order mark. Add --encoding utf-16le or utf-16be.`
      })
    }
    const decoder = yield* decoderOf(mark?.encoding ?? given)
    return yield* Effect.try({
      try: () => decoder.decode(bytes),
      catch: () => new UsageError({ message: `${file} is not ${decoder.encoding.toUpperCase()} text. ${examples}` })
    })
  })
