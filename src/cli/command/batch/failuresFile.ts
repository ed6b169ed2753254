import * as FileSystem from "@effect/platform/FileSystem"
import type { PlatformError } from "@effect/platform/Error"
import * as Path from "@effect/platform/Path"
import { stringify } from "csv-stringify/sync"
import * as Effect from "effect/Effect"
import { AtomicFile } from "effect-arta"
import { UsageError } from "../../shared/errors.js"
import type { Row } from "./promptFile/promptFile.js"

type Options = Row["options"]

// An empty file cannot be written with platform-node 0.108. A blank line is no row either.
const jsonLines = (rows: ReadonlyArray<Options>): string =>
  rows.length === 0 ? "\n" : rows.map((row) => `${JSON.stringify(row)}\n`).join("")

// A negative prompt of `""` means none, and an empty cell means the default.
const table = (rows: ReadonlyArray<Options>): string => {
  const columns = [...new Set(["prompt", ...rows.flatMap((row) => Object.keys(row))])]
  return stringify([...rows], { header: true, columns, quoted_string: true })
}

const formats: Readonly<Record<string, (rows: ReadonlyArray<Options>) => string>> = {
  ".jsonl": jsonLines,
  ".csv": table
}

/** Checks where `--failures` writes to, before anything is sent. */
export const checkFailuresFile = (
  failures: string,
  promptFile: string
): Effect.Effect<void, UsageError | PlatformError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    if (formats[path.extname(failures).toLowerCase()] === undefined) {
      return yield* new UsageError({ message: `--failures must name a .jsonl or .csv file, but is ${failures}.` })
    }
    if (path.resolve(failures) === path.resolve(promptFile)) {
      return yield* new UsageError({ message: "--failures would replace the prompt file. Name another file." })
    }
    const directory = path.dirname(failures)
    if (!(yield* fs.exists(directory))) {
      return yield* new UsageError({ message: `The directory of --failures, ${directory}, does not exist.` })
    }
  })

/** Writes rows in a form that `batch` reads. Their keys in the journal stay the same. */
export const writeFailures = (
  file: string,
  rows: ReadonlyArray<Row>
): Effect.Effect<void, PlatformError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const path = yield* Path.Path
    const format = formats[path.extname(file).toLowerCase()] ?? jsonLines
    yield* AtomicFile.write(file, format(rows.map(({ options }) => options)))
  })
