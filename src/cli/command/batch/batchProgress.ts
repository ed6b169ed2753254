import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import type * as Scope from "effect/Scope"
import type { Generation } from "effect-arta"
import { stripVTControlCharacters } from "node:util"
import type { Failure } from "../../shared/errors.js"
import { explain, failedLine } from "../../shared/errors.js"
import { printLine } from "../../shared/jsonOutput.js"
import { hasLiveLine, liveLine } from "../../shared/liveLine.js"
import type { Task } from "./plan.js"
import type { Row } from "./promptFile/promptFile.js"
import { timeLeft, timeText } from "./timeLeft.js"

/** Shows the progress of a batch. */
export interface BatchProgress {
  readonly started: (task: Task) => Effect.Effect<void>
  readonly report: (row: Row, event: Generation.GenerationEvent) => Effect.Effect<void>
  readonly saved: (task: Task, recordId: Generation.RecordId, paths: ReadonlyArray<string>) => Effect.Effect<void>
  readonly failed: (task: Task, failure: Failure) => Effect.Effect<void>
  /** A saved row lacks images. */
  readonly incomplete: (task: Task, failure: Failure) => Effect.Effect<void>
}

// The error at the end lists the failures.
const noProgress: BatchProgress = {
  started: () => Effect.void,
  report: () => Effect.void,
  saved: (_task, _recordId, paths) => printPaths(paths),
  failed: () => Effect.void,
  incomplete: () => Effect.void
}

const jsonLines: BatchProgress = {
  started: () => Effect.void,
  report: ({ number }, event) => printLine(event, number),
  saved: ({ row }, recordId, paths) =>
    Effect.forEach(paths, (path) => printLine({ _tag: "Saved", recordId, path }, row.number), { discard: true }),
  failed: ({ row }, failure) => printLine(failedLine(failure), row.number),
  incomplete: ({ row }, failure) => printLine(failedLine(failure), row.number)
}

const printPaths = (paths: ReadonlyArray<string>) =>
  Effect.forEach(paths, (path) => Console.log(path), { discard: true })

// A message from the service must not control the terminal.
const failureText = ({ row }: Task, failure: Failure): string =>
  stripVTControlCharacters(`row ${String(row.number)}: ${explain(failure)}`)

const printFailure = (task: Task, failure: Failure) => Console.error(failureText(task, failure))

/** `[3/12] saved "a fox"` */
const plainLines = (total: number): Effect.Effect<BatchProgress> =>
  Effect.map(Ref.make(0), (ended) => {
    const printEnd = (outcome: string) =>
      Effect.flatMap(
        Ref.updateAndGet(ended, (n) => n + 1),
        (n) => Console.error(`[${String(n)}/${String(total)}] ${outcome}`)
      )
    return {
      started: () => Effect.void,
      report: () => Effect.void,
      saved: ({ row }, _, paths) =>
        Effect.zipRight(printEnd(`saved ${JSON.stringify(row.request.prompt)}`), printPaths(paths)),
      failed: (task, failure) => printEnd(failureText(task, failure)),
      incomplete: printFailure
    }
  })

interface Counts {
  readonly ended: number
  readonly failed: number
  /** When each row in flight started, by its number. */
  readonly inFlight: HashMap.HashMap<number, number>
  /** The generations of this run that were saved, and how long all of them took. */
  readonly measured: { readonly count: number; readonly millis: number }
}

const none: Counts = { ended: 0, failed: 0, inFlight: HashMap.empty(), measured: { count: 0, millis: 0 } }

interface Size {
  readonly total: number
  readonly concurrency: number
}

const leftText = (counts: Counts, { concurrency, total }: Size, now: number): string => {
  const { count, millis } = counts.measured
  const waiting = total - counts.ended - HashMap.size(counts.inFlight)
  const left = timeLeft({
    average: count === 0 ? Option.none() : Option.some(millis / count),
    running: HashMap.toValues(counts.inFlight).map((since) => now - since),
    waiting,
    concurrency
  })
  return counts.ended === total
    ? ""
    : Option.match(left, { onNone: () => "", onSome: (ms) => `, ${timeText(ms)} left` })
}

export const barOf = (ended: number, total: number, size: number): string => {
  const full = Math.round((ended / total) * size)
  return `${"█".repeat(full)}${"░".repeat(size - full)} `
}

/** `████░░░░ 3/12, 1 failed, 4 in flight, 20 s left`. A narrow terminal shows less. */
const lineText =
  (counts: Counts, size: Size) =>
  (width: number, now: number): string => {
    const { ended, failed, inFlight } = counts
    const done = `${String(ended)}/${String(size.total)}`
    const failures = `, ${String(failed)} failed`
    const running = `, ${String(HashMap.size(inFlight))} in flight`
    const left = leftText(counts, size, now)
    const fits = (text: string) => text.length < width
    const texts = [done + failures + running + left, done + failures + left, done + left]
    const text = texts.find(fits) ?? done
    // Leave room for the time, so that the bar keeps its size.
    const room = Math.min(30, width - 52)
    return room < 5 ? text : barOf(ended, size.total, room) + text
  }

/** A bar, with the failures above it. */
const liveBar = (size: Size): Effect.Effect<BatchProgress, never, Scope.Scope> =>
  Effect.gen(function* () {
    const counts = yield* Ref.make(none)
    const show = yield* liveLine(lineText(none, size))
    const change = (next: (before: Counts, now: number) => Counts) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) =>
        Ref.updateAndGet(counts, (before) => next(before, now)).pipe(
          Effect.flatMap((after) => show(lineText(after, size)))
        )
      )

    const end =
      ({ row }: Task, failed: 0 | 1) =>
      ({ inFlight, measured, ...before }: Counts): Counts => ({
        ended: before.ended + 1,
        failed: before.failed + failed,
        inFlight: HashMap.remove(inFlight, row.number),
        measured
      })
    // A row that an earlier run submitted took longer than its time in this run.
    const measure = ({ _tag, row }: Task, { inFlight, measured }: Counts, now: number) =>
      Option.match(HashMap.get(inFlight, row.number), {
        onNone: () => measured,
        onSome: (since) =>
          _tag === "Submit" ? { count: measured.count + 1, millis: measured.millis + now - since } : measured
      })

    return {
      started: ({ row }) =>
        change((before, now) => ({ ...before, inFlight: HashMap.set(before.inFlight, row.number, now) })),
      report: () => Effect.void,
      // On a terminal, the summary names the directory instead.
      saved: (task, _recordId, paths) =>
        Effect.zipRight(
          change((before, now) => end(task, 0)({ ...before, measured: measure(task, before, now) })),
          process.stdout.isTTY ? Effect.void : printPaths(paths)
        ),
      failed: (task, failure) => Effect.zipRight(change(end(task, 1)), printFailure(task, failure)),
      incomplete: printFailure
    }
  })

/** A bar on a terminal, the events themselves for `--json`, otherwise a line per row. */
export const batchProgress = (
  total: number,
  { concurrency, json, quiet }: { readonly json: boolean; readonly quiet: boolean; readonly concurrency: number }
): Effect.Effect<BatchProgress, never, Scope.Scope> => {
  if (json) return Effect.succeed(jsonLines)
  if (quiet) return Effect.succeed(noProgress)
  return Effect.flatMap(hasLiveLine, (isLive) =>
    isLive && total > 0 ? liveBar({ total, concurrency }) : plainLines(total)
  )
}
