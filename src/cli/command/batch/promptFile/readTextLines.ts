import * as Array from "effect/Array"
import * as Either from "effect/Either"
import { hasFlags, knownFlags, readFlags } from "./lineFlags.js"
import type { Problem } from "./problems.js"
import { shown } from "./problems.js"
import type { Line, ReadOptions, Source, SourceRow } from "./source.js"
import { noSource, numberedLines } from "./source.js"

const asWritten = "add --literal to generate every line as written."

/** What a line is if it is no prompt. */
const notPrompts: ReadonlyArray<{ readonly pattern: RegExp; readonly message: string; readonly advice: string }> = [
  {
    pattern: /^#/,
    message: "looks like a comment.",
    advice: `To skip lines that start with #, add --comments. Otherwise, ${asWritten}`
  },
  {
    pattern: /^(negative prompt:|steps: *\d+ *(,|$))/i,
    message: "looks like the parameters of an image.",
    advice:
      "Write each image on one line, with --negative_prompt, --steps, --cfg_scale and --seed after the prompt. " +
      `Otherwise, ${asWritten}`
  },
  {
    pattern: /^\{\s*"/,
    message: "looks like JSON.",
    advice: `Add --format jsonl if every line is a JSON object. Otherwise, ${asWritten}`
  },
  {
    pattern: /[\u2028\u2029]/u,
    message: "has a Unicode line separator, so it may be two prompts.",
    advice: `Replace the separator with a line break or a space. Otherwise, ${asWritten}`
  }
]

const flagAdvice = `Flags of a line can be ${knownFlags}. Remove the others, or ${asWritten}`

const asRow = ({ line, number }: Line): SourceRow => ({
  number,
  line: number,
  cells: [{ name: "prompt", label: "prompt", value: line }]
})

const readLine = (line: Line): Either.Either<SourceRow, ReadonlyArray<Problem>> => {
  const place = { line: line.number }
  const other = notPrompts.find(({ pattern }) => pattern.test(line.line))
  if (other !== undefined) {
    return Either.left([{ place, message: `${shown(line.line)} ${other.message}`, advice: other.advice }])
  }
  if (!hasFlags(line.line)) return Either.right(asRow(line))
  const { cells, messages } = readFlags(line.line)
  return messages.length > 0
    ? Either.left(messages.map((message) => ({ place, message, advice: flagAdvice })))
    : Either.right({ ...asRow(line), cells })
}

/** Reads a text with a prompt per line. A line that looks like something else is a problem. */
export const readTextLines = (text: string, options: ReadOptions): Source => {
  const lines = numberedLines(text, options)
  if (options.literal) return { ...noSource, rows: lines.map(asRow) }
  const [problems, rows] = Array.partitionMap(lines, readLine)
  return { ...noSource, rows, problems: problems.flat() }
}
