import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Generation } from "effect-arta"
import type { Failure } from "../../shared/errors.js"
import { explain, failedLine } from "../../shared/errors.js"
import { printLine } from "../../shared/jsonOutput.js"
import { bar } from "../../shared/progress.js"
import type { Row } from "./promptFile.js"

/** Shows how a batch comes along. */
export interface BatchProgress {
  readonly started: Effect.Effect<void>
  readonly report: (row: Row, event: Generation.GenerationEvent) => Effect.Effect<void>
  readonly saved: (row: Row, recordId: Generation.RecordId, paths: ReadonlyArray<string>) => Effect.Effect<void>
  readonly failed: (row: Row, failure: Failure) => Effect.Effect<void>
}

const jsonLines: BatchProgress = {
  started: Effect.void,
  report: ({ number }, event) => printLine(event, number),
  saved: ({ number }, recordId, paths) =>
    Effect.forEach(paths, (path) => printLine({ _tag: "Saved", recordId, path }, number), { discard: true }),
  failed: ({ number }, failure) => printLine(failedLine(failure), number)
}

const printed = (paths: ReadonlyArray<string>) => Effect.forEach(paths, (path) => Console.log(path), { discard: true })

const plainLines = (total: number): BatchProgress => {
  let ended = 0
  const place = () => `[${String((ended += 1))}/${String(total)}]`
  return {
    started: Effect.void,
    report: () => Effect.void,
    saved: ({ request }, _, paths) =>
      Effect.zipRight(
        Effect.suspend(() => Console.error(`${place()} saved ${JSON.stringify(request.prompt)}`)),
        printed(paths)
      ),
    failed: (row, failure) =>
      Effect.suspend(() => Console.error(`${place()} row ${String(row.number)}: ${explain(failure)}`))
  }
}

// On a narrow terminal the numbers matter more. One that does not know its width says 0.
const barSize = (columns: number): number => (columns === 0 ? 30 : Math.max(0, Math.min(30, columns - 50)))

/** `████░░░░ 3/12, 1 failed, 4 in flight, 20 s left` */
const liveBar = (total: number): Effect.Effect<BatchProgress, never, Scope.Scope> =>
  Effect.map(
    bar({
      format: "{bar} {value}/{total}, {failed} failed, {inFlight} in flight, {eta_formatted} left",
      barCompleteChar: "█",
      barIncompleteChar: "░",
      barsize: barSize(process.stderr.columns)
    }),
    (shown) => {
      let failed = 0
      let inFlight = 0
      shown.start(total, 0, { failed, inFlight })
      const end = Effect.sync(() => {
        inFlight -= 1
        shown.increment(1, { failed, inFlight })
      })
      return {
        started: Effect.sync(() => {
          inFlight += 1
          shown.update({ failed, inFlight })
        }),
        report: () => Effect.void,
        // On the same terminal, paths would break up the bar. The summary names the directory.
        saved: (_row, _recordId, paths) => Effect.zipRight(end, process.stdout.isTTY ? Effect.void : printed(paths)),
        failed: () =>
          Effect.zipRight(
            Effect.sync(() => {
              failed += 1
            }),
            end
          )
      }
    }
  )

/** For a terminal a bar, for anything else a line per row, and for `--json` the events themselves. */
export const batchProgress = (
  total: number,
  options: { readonly json: boolean }
): Effect.Effect<BatchProgress, never, Scope.Scope> => {
  if (options.json) return Effect.succeed(jsonLines)
  return Effect.suspend(() => (process.stderr.isTTY ? liveBar(total) : Effect.succeed(plainLines(total))))
}
