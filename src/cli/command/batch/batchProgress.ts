import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import type * as Scope from "effect/Scope"
import type { Generation } from "effect-arta"
import type { Failure } from "../../shared/errors.js"
import { explain, failedLine } from "../../shared/errors.js"
import { printLine } from "../../shared/jsonOutput.js"
import { bar } from "../../shared/progress.js"
import type { Row } from "./promptFile/promptFile.js"

/** Shows the progress of a batch. */
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

const printPaths = (paths: ReadonlyArray<string>) =>
  Effect.forEach(paths, (path) => Console.log(path), { discard: true })

/** `[3/12] saved "a fox"` */
const plainLines = (total: number): Effect.Effect<BatchProgress> =>
  Effect.map(Ref.make(0), (ended) => {
    const printEnd = (outcome: string) =>
      Effect.flatMap(
        Ref.updateAndGet(ended, (n) => n + 1),
        (n) => Console.error(`[${String(n)}/${String(total)}] ${outcome}`)
      )
    return {
      started: Effect.void,
      report: () => Effect.void,
      saved: ({ request }, _, paths) =>
        Effect.zipRight(printEnd(`saved ${JSON.stringify(request.prompt)}`), printPaths(paths)),
      failed: ({ number }, failure) => printEnd(`row ${String(number)}: ${explain(failure)}`)
    }
  })

// On a narrow terminal, leave room for the numbers. A terminal without a known width reports 0 columns.
const barSize = (columns: number): number => (columns === 0 ? 30 : Math.max(0, Math.min(30, columns - 50)))

/** `████░░░░ 3/12, 1 failed, 4 in flight, 20 s left` */
const liveBar = (total: number): Effect.Effect<BatchProgress, never, Scope.Scope> =>
  Effect.gen(function* () {
    const counts = yield* Ref.make({ failed: 0, inFlight: 0 })
    const line = yield* bar({
      format: "{bar} {value}/{total}, {failed} failed, {inFlight} in flight, {eta_formatted} left",
      barCompleteChar: "█",
      barIncompleteChar: "░",
      barsize: barSize(process.stderr.columns)
    })
    // The bar changes the object that it starts with.
    line.start(total, 0, { ...(yield* counts) })

    const add = (failed: number, inFlight: number) =>
      Ref.updateAndGet(counts, (before) => ({ failed: before.failed + failed, inFlight: before.inFlight + inFlight }))
    const begin = Effect.map(add(0, 1), (payload) => {
      line.update(payload)
    })
    const end = (failed: 0 | 1) =>
      Effect.map(add(failed, -1), (payload) => {
        line.increment(1, payload)
      })
    return {
      started: begin,
      report: () => Effect.void,
      // On the same terminal, paths would break up the bar. The summary names the directory.
      saved: (_row, _recordId, paths) =>
        Effect.zipRight(end(0), process.stdout.isTTY ? Effect.void : printPaths(paths)),
      failed: () => end(1)
    }
  })

/** A bar on a terminal, the events themselves for `--json`, otherwise a line per row. */
export const batchProgress = (
  total: number,
  options: { readonly json: boolean }
): Effect.Effect<BatchProgress, never, Scope.Scope> =>
  options.json
    ? Effect.succeed(jsonLines)
    : Effect.suspend(() => (process.stderr.isTTY ? liveBar(total) : plainLines(total)))
