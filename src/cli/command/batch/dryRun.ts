import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Journal from "../../shared/journal.js"
import { printable } from "../../shared/printable.js"
import { countNewImages, countOf } from "./confirm.js"
import type { Task } from "./plan.js"
import { plan } from "./plan.js"
import { isRepeated } from "./rounds.js"
import type { Row } from "./promptFile/promptFile.js"
import { nameOf } from "./promptFile/promptFile.js"

interface Input {
  readonly file: string
  readonly output: string
  readonly retryFailed: boolean
  readonly again: boolean
  readonly emulator: boolean
}

const maxRows = 10

/** `Row 2 (line 5): "a fox", Flux, 2 images, 1:1, 30 steps, guidance 7, random seed, avoiding "blurry"` */
const rowText = ({ key, line, number, options, request }: Row): string =>
  [
    `Row ${String(number)}${line === number ? "" : ` (line ${String(line)})`}: ${printable(JSON.stringify(request.prompt))}`,
    request.model,
    countOf(request.n, "image"),
    request.aspectRatio,
    countOf(request.numInferenceSteps, "step"),
    `guidance ${String(request.guidanceScale)}`,
    "seed" in options && !isRepeated(key) ? `seed ${String(request.seed)}` : "random seed",
    request.negativePrompt === ""
      ? "no negative prompt"
      : `avoiding ${printable(JSON.stringify(request.negativePrompt))}`
  ].join(", ")

/** `Flux (3), F Dev (1)` */
const modelsText = (rows: ReadonlyArray<Row>): string => {
  const models = rows.map(({ request }) => request.model)
  return [...new Set(models)]
    .map((model) => `${model} (${String(models.filter((other) => other === model).length)})`)
    .join(", ")
}

const readPlan = (rows: ReadonlyArray<Row>, input: Input) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const exists = yield* fs.exists(input.output)
    const records = exists ? yield* Journal.read(input.output) : []
    return plan(rows, {
      records: HashMap.fromIterable(records.map((record) => [record.key, record] as const)),
      files: new Set(exists ? yield* fs.readDirectory(input.output) : []),
      retryFailed: input.retryFailed,
      again: input.again,
      isEmulator: input.emulator
    })
  })

const rowsOf = (tasks: ReadonlyArray<Task>, tag: Task["_tag"]): ReadonlyArray<Row> =>
  tasks.filter(({ _tag }) => _tag === tag).map(({ row }) => row)

/** Prints what a batch would send. Sends nothing, writes nothing, and needs no API key. */
export const printDryRun = (
  rows: ReadonlyArray<Row>,
  input: Input
): Effect.Effect<void, PlatformError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const { done, failedEarlier, tasks } = yield* readPlan(rows, input)
    const submitted = rowsOf(tasks, "Submit")
    const watched = rowsOf(tasks, "Watch")
    const rest = submitted.length - maxRows
    yield* Console.log(
      [
        `${countOf(rows.length, "row")} in ${nameOf(input.file)}.`,
        `To submit: ${countOf(submitted.length, "generation")}, ${countOf(countNewImages(tasks), "image")}${submitted.length === 0 ? "" : `: ${modelsText(submitted)}`}.`,
        `Already done: ${countOf(done.length, "row")}. Submitted before, to be resumed: ${String(watched.length)}. Failed before: ${String(failedEarlier.length)}.`,
        ...submitted.slice(0, maxRows).map(rowText),
        ...(rest > 0 ? [`… and ${countOf(rest, "row")} more.`] : []),
        "This was a dry run: nothing was sent."
      ].join("\n")
    )
  })
