import type { Problem } from "./problems.js"

/** A value of a row. */
export interface Cell {
  /** The name that says what the value means. */
  readonly name: string
  /** How messages call it: `column Seed`. */
  readonly label: string
  readonly value: unknown
}

/** A row before its names and values are checked. */
export interface SourceRow {
  /** What messages and `--json` call it: the number of the line in a text, of the record in a table or a list. */
  readonly number: number
  /** The line where it starts. */
  readonly line: number
  readonly cells: ReadonlyArray<Cell>
}

/** What a file says, and what in it cannot be read. */
export interface Source {
  /** The names of the columns of a table, those without values included. */
  readonly header?: ReadonlyArray<string>
  readonly decimalComma: boolean
  readonly rows: ReadonlyArray<SourceRow>
  readonly problems: ReadonlyArray<Problem>
}

export interface ReadOptions {
  /** Whether every line of a text is a prompt as written. */
  readonly literal: boolean
  /** Whether lines that start with `#` are skipped. */
  readonly comments: boolean
}

export const noSource: Source = { decimalComma: false, rows: [], problems: [] }

export interface Line {
  readonly number: number
  readonly line: string
}

/** The lines of a text that are not blank. Windows, Unix and old Macs end lines differently. */
export const numberedLines = (text: string, { comments }: Pick<ReadOptions, "comments">): ReadonlyArray<Line> =>
  text
    .split(/\r\n|\n|\r/)
    .map((line, index) => ({ number: index + 1, line: line.trim() }))
    .filter(({ line }) => line !== "" && !(comments && line.startsWith("#")))
