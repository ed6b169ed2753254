import * as Arr from "effect/Array"
import { UsageError } from "../../../shared/errors.js"

/** Where a file says something. `row` is left out if it equals the line. */
interface Place {
  readonly line: number
  readonly row?: number
  /** The position in the line, from 1. */
  readonly character?: number
  /** The column, key or flag, as the file calls it. */
  readonly name?: string
}

/** What is wrong in a file, and what to do about it. */
export interface Problem {
  readonly place?: Place
  readonly message: string
  /** Listed once, below the problems. */
  readonly advice?: string
}

const maxLength = 60

/** A value on one line of bounded length, with visible control characters. */
export const shown = (value: unknown): string => {
  const text = typeof value === "string" ? value : JSON.stringify(value)
  const visible = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    /[\n\r\t]/.test(character) ? " " : `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`
  )
  const characters = Array.from(visible.slice(0, 2 * maxLength))
  return characters.length > maxLength ? `${characters.slice(0, maxLength).join("")}…` : visible
}

/** `Line 5 (row 2), column seed` or `Line 1 column 2` */
const placeText = ({ character, line, name, row }: Place): string =>
  [
    `Line ${String(line)}`,
    row === undefined || row === line ? "" : ` (row ${String(row)})`,
    character === undefined ? "" : ` column ${String(character)}`,
    name === undefined ? "" : `, ${name}`
  ].join("")

const problemText = ({ message, place }: Problem): string =>
  place === undefined ? message : `${placeText(place)}: ${message}`

const maxProblems = 10

/** The problems without a place first, then by line. */
const inOrder = (problems: ReadonlyArray<Problem>): ReadonlyArray<Problem> =>
  problems.toSorted((one, other) => (one.place?.line ?? 0) - (other.place?.line ?? 0))

/** Lists the problems of a file: ten of them, and the number of the others. */
export const toUsageError = (
  file: string,
  problems: Arr.NonEmptyReadonlyArray<Problem>,
  hints: ReadonlyArray<string>
): UsageError => {
  const rest = problems.length - maxProblems
  const listed = inOrder(problems).slice(0, maxProblems)
  const advice = Arr.dedupe(listed.flatMap(({ advice }) => (advice === undefined ? [] : [advice])))
  return new UsageError({
    message: [
      `Nothing was sent, because ${file} has ${problems.length === 1 ? "a problem" : `${String(problems.length)} problems`}:`,
      ...listed.map(problemText),
      ...(rest > 0 ? [`… and ${String(rest)} more.`] : []),
      ...advice,
      ...hints
    ].join("\n")
  })
}
