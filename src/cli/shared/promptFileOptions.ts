import * as Option from "effect/Option"
import type { Parsed } from "../commandLine/command.js"
import { inGroup, onOff, optional } from "../commandLine/command.js"
import * as Value from "../commandLine/value.js"

const formats = ["txt", "csv", "tsv", "json", "jsonl"] as const

export type Format = (typeof formats)[number]

/** How to read a file of prompts. */
export const promptFileOptions = inGroup("File", {
  format: optional("format", Value.oneOf("FORMAT", formats), {
    summary: formats.join(", "),
    byDefault: "by content"
  }),
  encoding: optional("encoding", Value.text("NAME"), {
    summary: "Such as utf-16le or windows-1252",
    byDefault: "UTF-8"
  }),
  ignoreColumns: optional("ignore-columns", Value.text("NAMES"), {
    summary: "Columns to leave out, separated by commas"
  }),
  literal: onOff("literal", { summary: "Generate every line as written" }),
  comments: onOff("comments", { summary: "Skip the lines that start with #" })
})

export type PromptFileOptions = Parsed<typeof promptFileOptions>

const valueOf = (flag: string, value: Option.Option<string>): ReadonlyArray<string> =>
  Option.match(value, { onNone: () => [], onSome: (text) => [flag, text] })

/** The flags of `promptFileOptions` as they were given. Without them, a file may mean other requests. */
export const promptFileFlags = (given: PromptFileOptions): ReadonlyArray<string> => [
  ...valueOf("--format", given.format),
  ...valueOf("--encoding", given.encoding),
  ...valueOf("--ignore-columns", given.ignoreColumns),
  ...(given.literal ? ["--literal"] : []),
  ...(given.comments ? ["--comments"] : [])
]

/** What happens before anything is sent. */
export const confirmationOptions = inGroup("Batch", {
  dryRun: onOff("dry-run", { summary: "Print what would be sent, and send nothing" }),
  yes: onOff("yes", { summary: "Do not ask before more than 100 images" })
})

export type ConfirmationOptions = Parsed<typeof confirmationOptions>
