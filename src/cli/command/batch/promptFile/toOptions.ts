import * as Array from "effect/Array"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type { Value } from "./cellValue.js"
import { cellValue, ratioOf } from "./cellValue.js"
import type { Field } from "./columns.js"
import { fieldOf, isPrompt } from "./columns.js"
import type { Problem } from "./problems.js"
import type { Cell, SourceRow } from "./source.js"

/** A value that a row gives, and what messages call it. */
interface Entry {
  readonly field: Field
  readonly label: string
  readonly value: Exclude<Value, undefined>
}

/** What is wrong with a row. A label tells where, if it is in one place. */
interface Fault {
  readonly label?: string
  readonly message: string
}

export interface RowOptions {
  readonly row: SourceRow
  /** By the names of the library. */
  readonly options: Readonly<Record<string, unknown>>
}

export const problemOf = (row: SourceRow, { label, message }: Fault): Problem => ({
  place: { line: row.line, row: row.number, ...(label === undefined ? {} : { name: label }) },
  message
})

const readCell = (cell: Cell, decimalComma: boolean): ReadonlyArray<Either.Either<Entry, Fault>> =>
  Option.match(fieldOf(cell.name), {
    onNone: () => [],
    onSome: (field) => {
      const { label } = cell
      const read = Either.mapLeft(cellValue(field, cell.value, decimalComma), (message): Fault => ({ label, message }))
      if (Either.isLeft(read)) return [Either.left(read.left)]
      return read.right === undefined ? [] : [Either.right({ field, label, value: read.right })]
    }
  })

const findRepeated = (entries: ReadonlyArray<Entry>): ReadonlyArray<Fault> =>
  entries.flatMap(({ field, label }, index) => {
    const first = entries.find((entry) => entry.field === field)
    if (first === undefined || first === entries[index]) return []
    return [
      { label, message: first.label === label ? "It is given twice." : `It has the same meaning as ${first.label}.` }
    ]
  })

/** Replaces width and height by the aspect ratio that they have. */
const withRatio = (entries: ReadonlyArray<Entry>): Either.Either<ReadonlyArray<Entry>, Fault> => {
  const find = (field: Field) => entries.find((entry) => entry.field === field)
  const [width, height, aspect] = [find("width"), find("height"), find("aspectRatio")]
  const others = entries.filter((entry) => entry !== width && entry !== height)
  if (width === undefined && height === undefined) return Either.right(others)
  if (width === undefined || height === undefined) {
    const { label = "" } = width ?? height ?? {}
    return Either.left({
      label,
      message: `A ${width === undefined ? "height" : "width"} needs a ${width === undefined ? "width" : "height"} too.`
    })
  }
  const [wide, high] = [Number(width.value), Number(height.value)]
  if (wide <= 0 || high <= 0)
    return Either.left({ label: width.label, message: "Width and height must be greater than 0." })
  const ratio = ratioOf(wide, high)
  if (aspect === undefined) return Either.right([...others, { field: "aspectRatio", label: width.label, value: ratio }])
  const [aspectWidth, aspectHeight] = String(aspect.value).split(":", 2).map(Number)
  return ratioOf(Number(aspectWidth), Number(aspectHeight)) === ratio
    ? Either.right(others)
    : Either.left({
        label: aspect.label,
        message: `${String(aspect.value)} is not the ratio of ${String(wide)} x ${String(high)}.`
      })
}

export interface Expected {
  readonly decimalComma: boolean
  /** Whether a table has a prompt column, and no two columns with one meaning. Its header is checked once for all. */
  readonly isTable: boolean
  /** Whether a row without a prompt is a problem of its own. */
  readonly needsPrompt: boolean
}

/** What messages call an option of a row. */
export const labelIn = ({ cells }: SourceRow, option: string): string | undefined =>
  cells.find(({ name }) => Option.exists(fieldOf(name), (field) => field === option))?.label

/** Reads the cells of a row as options, or lists all that is wrong with them. */
export const toOptions = (
  row: SourceRow,
  { decimalComma, isTable, needsPrompt }: Expected
): Either.Either<RowOptions, ReadonlyArray<Problem>> => {
  const [faults, entries] = Array.separate(row.cells.flatMap((cell) => readCell(cell, decimalComma)))
  const hasPrompt = row.cells.some(({ name, value }) => isPrompt(name) && value !== undefined && value !== null)
  const missing: ReadonlyArray<Fault> = hasPrompt || !needsPrompt ? [] : [{ message: "There is no prompt." }]
  const complete = faults.length > 0 ? Either.right(entries) : withRatio(entries)
  const all = [
    ...missing,
    ...faults,
    ...(isTable ? [] : findRepeated(entries)),
    ...Option.toArray(Either.getLeft(complete))
  ]
  if (all.length > 0 || Either.isLeft(complete)) return Either.left(all.map((fault) => problemOf(row, fault)))
  return Either.right({
    row,
    options: Object.fromEntries(complete.right.map(({ field, value }) => [field, value]))
  })
}
