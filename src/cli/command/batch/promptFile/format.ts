import * as Option from "effect/Option"
import type { Format, PromptFileOptions } from "../../../shared/promptFileOptions.js"
import { fieldOf, isPrompt } from "./columns.js"
import { looksLikeJson } from "./readJson.js"
import { hasSeparator, readHeader } from "./readTable.js"
import type { ReadOptions } from "./source.js"

const byExtension: Readonly<Record<string, Format>> = {
  ".txt": "txt",
  ".csv": "csv",
  ".tsv": "csv",
  ".tab": "csv",
  ".json": "json",
  ".jsonl": "jsonl",
  ".ndjson": "jsonl"
}

const countWords = (name: string): number => name.split(/\s+/).length

/** Whether the cells of a first line name columns. A prompt with commas does not. */
const isHeader = (names: ReadonlyArray<string>): boolean => {
  const isKnown = (name: string) => Option.isSome(fieldOf(name))
  const known = names.filter(isKnown)
  if (names.length === 1) return names.every(isPrompt)
  return (
    (names.some(isPrompt) || known.length > 1) &&
    names.every((name) => isKnown(name) || countWords(name) <= (known.length > 1 || names.includes("prompt") ? 3 : 1))
  )
}

const looksLikeTable = (text: string, options: ReadOptions): boolean =>
  hasSeparator(text) || [",", ";", "\t", "|"].some((delimiter) => isHeader(readHeader(text, delimiter, options)))

/** Whether the content of a text file made it a table or JSON. */
export const isReadByContent = (format: Format, extension: string, options: PromptFileOptions): boolean =>
  Option.isNone(options.format) && byExtension[extension] === "txt" && format !== "txt"

/** The format of a text: as the options say, else by its content, then by the extension of its file. */
export const formatOf = (text: string, extension: string, options: PromptFileOptions): Option.Option<Format> => {
  if (options.literal) return Option.some("txt")
  if (Option.isSome(options.format)) return options.format
  if (looksLikeJson(text)) return Option.some("jsonl")
  const named = Option.fromNullable(byExtension[extension])
  return Option.exists(named, (format) => format !== "txt") || !looksLikeTable(text, options)
    ? named
    : Option.some("csv")
}
