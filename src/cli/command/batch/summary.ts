import type * as Array from "effect/Array"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import { quote } from "shell-quote"
import { exitCodes, explain, PartlyFailed } from "../../shared/errors.js"
import type { Entry } from "../../shared/journalEntry.js"
import type { Journal, JournalRecords } from "../../shared/journal.js"
import type { ImageOptions, LimitOptions, NameOptions, OutputOptions, ServiceOptions } from "../../shared/options.js"
import { imageFlags, limitFlags, metadataFlag, nameFlag, proxyFlag } from "../../shared/options.js"
import type { PromptFileOptions } from "../../shared/promptFileOptions.js"
import { promptFileFlags } from "../../shared/promptFileOptions.js"
import { writeGalleryFromJournal } from "../gallery/writeGallery.js"
import { countOf } from "./confirm.js"
import { writeFailures } from "./failuresFile.js"
import type { Plan, Unfinished } from "./plan.js"
import type { Row } from "./promptFile/promptFile.js"
import type { Outcome } from "./runRows.js"

export interface Input
  extends LimitOptions, OutputOptions, ServiceOptions, ImageOptions, NameOptions, PromptFileOptions {
  readonly file: string
  readonly quiet: boolean
  readonly failures: Option.Option<string>
}

const rowsAt = (records: JournalRecords, rows: ReadonlyArray<Row>, ...tags: ReadonlyArray<Entry["_tag"]>) =>
  rows.filter(({ key }) => Option.exists(HashMap.get(records, key), ({ last }) => tags.includes(last._tag)))

const serviceFlags = (input: Input): ReadonlyArray<string> => [
  ...limitFlags(input),
  ...metadataFlag(input),
  ...nameFlag(input),
  ...(input.emulator ? ["--emulator"] : []),
  ...proxyFlag(input.proxy)
]

const retryCommand = (input: Input): string =>
  quote([
    "effect-arta",
    "batch",
    input.file,
    "-o",
    input.output,
    ...promptFileFlags(input),
    ...imageFlags(input),
    ...serviceFlags(input),
    "--retry-failed"
  ])

/** `5 of 6 saved: 1 generated now, 4 were there before.` */
const totals = ({ done, rows, tasks }: Plan, records: JournalRecords): string => {
  const now = rowsAt(
    records,
    tasks.map(({ row }) => row),
    "Saved"
  ).length
  const before = done.length
  const parts = `: ${String(now)} generated now, ${String(before)} ${before === 1 ? "was" : "were"} there before`
  return `${String(now + before)} of ${String(rows.length)} saved${before === 0 ? "" : parts}.`
}

export const galleryText = (directory: string) =>
  Effect.match(writeGalleryFromJournal(directory), {
    onFailure: (failure) => `No gallery: ${explain(failure)}`,
    onSuccess: (path) => `Gallery: ${path}`
  })

/** Writes the rows that the service certainly did not accept, or that failed for good. */
const failuresText = (file: string, { rows }: Plan, records: JournalRecords, input: Input) => {
  const failed = rowsAt(records, rows, "Failed", "NotAccepted")
  const left = rowsAt(records, rows, "Submitting", "Submitted").length
  const command = quote(["effect-arta", "batch", file, "-o", input.output, ...serviceFlags(input), "--retry-failed"])
  return Effect.match(writeFailures(file, failed), {
    onFailure: (failure) => [explain(failure)],
    onSuccess: () => [
      `${countOf(failed.length, "row")} to run again in ${file}${failed.length === 0 ? "." : `: ${command}`}`,
      ...(left === 0 || input.emulator
        ? []
        : [`${countOf(left, "row")} may be paid for already and are not in ${file}: run this batch again instead.`])
    ]
  })
}

/** Prints what the directory has, and writes the gallery and the file of `--failures`. */
export const printSummary = (planned: Plan, journal: Journal, input: Input) =>
  Effect.gen(function* () {
    const records = yield* journal.records
    const failures = yield* Option.match(input.failures, {
      onNone: () => Effect.succeed([]),
      onSome: (file) => failuresText(file, planned, records, input)
    })
    const gallery = yield* galleryText(input.output)
    if (!input.quiet) yield* Console.error([`${totals(planned, records)} ${gallery}`, ...failures].join("\n"))
  })

/** Prints how to go on after Ctrl-C. */
export const printStopped = ({ rows }: Plan, journal: Journal, input: Input) =>
  Effect.gen(function* () {
    const underWay = rowsAt(yield* journal.records, rows, "Submitted").length
    const generations = `The service goes on with ${countOf(underWay, "generation")}. `
    yield* Console.error(
      `Stopped. ${underWay === 0 || input.emulator ? "" : generations}` +
        "Run the same command again to resume. It submits nothing twice."
    )
  })

/** Prints why the batch sends nothing more. The error follows. */
export const printRefused = ({ tasks }: Plan, journal: Journal, { stopped }: Outcome) =>
  Effect.gen(function* () {
    const records = yield* journal.records
    const unsent = tasks.filter(({ row }) => !HashMap.has(records, row.key)).length
    yield* Console.error(
      `The batch stopped, because ${String(stopped.length)} submissions in a row failed for the same reason. ` +
        `${countOf(unsent, "row")} ${unsent === 1 ? "was" : "were"} not sent. ` +
        "Once the reason is gone, run the same command again."
    )
  })

/** The exit code that all rows share, or the one for unexpected errors. */
export const commonExitCode = (rows: Array.NonEmptyReadonlyArray<Unfinished>): number => {
  const [code, ...others] = new Set(rows.map(({ exitCode }) => exitCode))
  return code === undefined || others.length > 0 ? exitCodes.unexpected : code
}

const maxListed = 20

export const listOf = (rows: ReadonlyArray<Unfinished>): ReadonlyArray<string> => [
  ...rows
    .slice(0, maxListed)
    .map(({ message, row }) => `Row ${String(row.number)}, ${JSON.stringify(row.request.prompt)}: ${message}`),
  ...(rows.length > maxListed ? [`… and ${String(rows.length - maxListed)} more.`] : [])
]

/** The error of a batch whose rows did not all succeed. */
export const toPartlyFailed = (rows: Array.NonEmptyReadonlyArray<Unfinished>, input: Input): PartlyFailed =>
  new PartlyFailed({
    exitCode: commonExitCode(rows),
    message: [
      ...listOf(rows),
      ...(rows.every(({ error }) => error === "MissingImages")
        ? []
        : [`To retry only these rows: ${retryCommand(input)}`])
    ].join("\n")
  })
