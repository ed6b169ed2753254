import { parse } from "csv-parse/sync"
import * as Array from "effect/Array"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { fieldOf } from "./columns.js"
import type { Problem } from "./problems.js"
import type { ReadOptions, Source, SourceRow } from "./source.js"
import { noSource } from "./source.js"

/** A record, and its text with the blank lines and comments before it. */
interface TableRecord {
  readonly record: ReadonlyArray<string | undefined>
  readonly raw: string
}

// The types of the parser do not know its option `raw`.
const isTableRecord = (parsed: unknown): parsed is TableRecord =>
  Predicate.hasProperty(parsed, "record") && Array.isArray(parsed.record) && Predicate.hasProperty(parsed, "raw")

const CsvError = Schema.Struct({ code: Schema.String, bytes: Schema.Int })

interface ParserOptions {
  readonly delimiter: string
  readonly comments: boolean
  readonly to?: number
}

const parserOptions = ({ comments, delimiter, to }: ParserOptions) => ({
  delimiter,
  record_delimiter: ["\r\n", "\n", "\r"],
  relax_column_count: true,
  // A quotation mark inside an unquoted text is part of it.
  relax_quotes: true,
  skip_empty_lines: true,
  trim: true,
  raw: true,
  ...(comments ? { comment: "#", comment_no_infix: true } : {}),
  ...(to === undefined ? {} : { to })
})

/** `""` says that a text is empty. Nothing between two delimiters says nothing. */
const withoutEmpty = ({ raw, record }: TableRecord, options: ParserOptions): TableRecord => {
  if (!record.includes("")) return { raw, record }
  if (!raw.includes('""')) return { raw, record: record.map((cell) => (cell === "" ? undefined : cell)) }
  // Asking the parser for the quotes of all records would take twice as long.
  const [cells = []] = parse(raw, {
    ...parserOptions(options),
    raw: false,
    cast: (value, { quoting }) => (value === "" && !quoting ? undefined : value)
  })
  return { raw, record: cells }
}

const parseRecords = (text: string, options: ParserOptions) =>
  Either.try({
    try: () => {
      const parsed: ReadonlyArray<unknown> = parse(text, parserOptions(options))
      return parsed.filter(isTableRecord).map((record) => withoutEmpty(record, options))
    },
    catch: (error) => error
  })

const countLineBreaks = (text: string): number => text.match(/\r\n|\n|\r/g)?.length ?? 0

const quoteProblems: Readonly<Record<string, string>> = {
  CSV_QUOTE_NOT_CLOSED: "A quotation mark opens a text, and none closes it.",
  CSV_NON_TRIMABLE_CHAR_AFTER_CLOSING_QUOTE:
    'More text follows a closing quotation mark. Write a quotation mark inside a quoted text twice: "".'
}

/** Why a table cannot be split into cells. The parser tells how many bytes come before the record. */
const toProblem = (error: unknown, text: string): Problem => {
  const { bytes, code } = Option.getOrElse(Schema.decodeUnknownOption(CsvError)(error), () => ({ bytes: 0, code: "" }))
  const before = Buffer.from(text).subarray(0, bytes).toString()
  const blank = /^\s*/.exec(text.slice(before.length))?.[0] ?? ""
  return {
    place: { line: 1 + countLineBreaks(before) + countLineBreaks(blank) },
    message: quoteProblems[code] ?? "The table cannot be read from here on."
  }
}

/** The names in the first line of a table. */
export const readHeader = (text: string, delimiter: string, options: ReadOptions): ReadonlyArray<string> =>
  Either.match(parseRecords(text, { ...options, delimiter, to: 1 }), {
    onLeft: () => [],
    onRight: ([first]) => first?.record.map((name) => name ?? "") ?? []
  })

/** The delimiter that finds the most known names in the header, then the most names. A comma if none finds any. */
const guessDelimiter = (text: string, options: ReadOptions): string => {
  const [first] = [",", ";", "\t", "|"]
    .map((delimiter) => ({ delimiter, header: readHeader(text, delimiter, options) }))
    .map(({ delimiter, header }) => ({
      delimiter,
      known: header.filter((name) => Option.isSome(fieldOf(name))).length,
      count: header.length
    }))
    .toSorted((one, other) => other.known - one.known || other.count - one.count)
  return first?.delimiter ?? ","
}

// Excel reads the delimiter from this line.
const separatorLine = /^\s*"?sep=(.)"?[^\S\r\n]*(?:\r\n|\n|\r)/i

export const hasSeparator = (text: string): boolean => separatorLine.test(text)

/** Splits off the line that names the delimiter. A blank line takes its place, so that line numbers stay right. */
const takeSeparator = (text: string): { readonly body: string; readonly separator: string | undefined } => {
  const [line, separator] = separatorLine.exec(text) ?? []
  return line === undefined
    ? { body: text, separator }
    : { body: "\n".repeat(countLineBreaks(line)) + text.slice(line.length), separator }
}

interface NumberedRecord extends TableRecord {
  readonly line: number
}

/** Adds the line where each record starts. */
const withLines = (records: ReadonlyArray<TableRecord>, comments: boolean): ReadonlyArray<NumberedRecord> => {
  const ignored = comments ? /^(?:\s*(?:#[^\r\n]*)?(?:\r\n|\n|\r))*/ : /^(?:[^\S\r\n]*(?:\r\n|\n|\r))*/
  const [, numbered] = Array.mapAccum(records, 1, (next, record) => [
    next + countLineBreaks(record.raw),
    { ...record, line: next + countLineBreaks(ignored.exec(record.raw)?.[0] ?? "") }
  ])
  return numbered
}

const isEmpty = (cell: string | undefined): boolean => cell === undefined || cell.trim() === ""

/** The header, with names for columns that have values but no name. */
const nameColumns = (header: TableRecord["record"]): ReadonlyArray<string> =>
  header.map((name, index) => name ?? `column ${String(index + 1)}`)

const toRow =
  (header: ReadonlyArray<string>) =>
  (record: NumberedRecord, index: number): SourceRow => ({
    number: index + 1,
    line: record.line,
    cells: Array.zipWith(header, record.record, (name, value) => ({ name, label: `column ${name}`, value }))
  })

/** Whether a record has as many cells as the header. Empty cells at its end do not count. */
const checkCount =
  (count: number) =>
  ({ line, record }: NumberedRecord, index: number): ReadonlyArray<Problem> =>
    record.length === count || (record.length > count && record.slice(count).every(isEmpty))
      ? []
      : [
          {
            place: { line, row: index + 1 },
            message: `${String(record.length)} field${record.length === 1 ? "" : "s"} for ${String(count)} column${count === 1 ? "" : "s"}.`,
            advice:
              record.length > count
                ? 'Put a text with a comma or another delimiter in quotes: "a fox, in the snow".'
                : "Write a delimiter for each empty field too."
          }
        ]

/** Reads a table with a header line. Without `delimiter`, `sep=` decides, or the header. */
export const readTable = (text: string, options: ReadOptions, delimiter?: string): Source => {
  const { body, separator } = takeSeparator(text)
  const chosen = separator ?? delimiter ?? guessDelimiter(body, options)
  return Either.match(parseRecords(body, { ...options, delimiter: chosen }), {
    onLeft: (error) => ({ ...noSource, problems: [toProblem(error, body)] }),
    onRight: (all) => {
      const [first, ...records] = withLines(all, options.comments)
      if (first === undefined) return noSource
      const filled = records.filter(({ record }) => !record.every(isEmpty))
      const named = nameColumns(first.record)
      // A column without a name counts only if it has values.
      const header = named.filter(
        (_, index) => first.record[index] !== undefined || filled.some(({ record }) => !isEmpty(record[index]))
      )
      return {
        header,
        decimalComma: chosen === ";",
        rows: filled.map(toRow(named)),
        problems: filled.flatMap(checkCount(named.length))
      }
    }
  })
}
