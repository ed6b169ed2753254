import type { PlatformError } from "@effect/platform/Error"
import * as Array from "effect/Array"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Ref from "effect/Ref"
import { Arta } from "effect-arta"
import type { Failure } from "../../shared/errors.js"
import { exitCodeOfFailure, explain, failIfMissing, isGone } from "../../shared/errors.js"
import type * as Journal from "../../shared/journal.js"
import type { Namer } from "../../shared/nameTemplate.js"
import type { LimitOptions, OutputOptions, ServiceOptions } from "../../shared/options.js"
import { limitsOf, watchFlags } from "../../shared/options.js"
import { saveJournaled } from "../../shared/saveImages.js"
import * as SubmissionJournal from "../../shared/submissionJournal.js"
import type { BatchProgress } from "./batchProgress.js"
import { batchProgress } from "./batchProgress.js"
import type { Breaker, Refusal } from "./breaker.js"
import { isRefusal, makeBreaker } from "./breaker.js"
import { liveGallery } from "./liveGallery.js"
import type { Task, Unfinished } from "./plan.js"

export interface Input extends LimitOptions, OutputOptions, ServiceOptions {
  readonly concurrency: number
  readonly json: boolean
  readonly quiet: boolean
  readonly namer: Namer
}

interface Context {
  readonly journal: Journal.Journal
  readonly input: Input
  readonly progress: BatchProgress
  readonly breaker: Breaker<PlatformError>
  /** Runs after a row is saved. */
  readonly changed: Effect.Effect<void>
}

const toUnfinished = ({ row }: Task, failure: Failure): Unfinished => ({
  row,
  error: failure._tag,
  message: explain(failure),
  exitCode: exitCodeOfFailure(failure)
})

// Another attempt would fail in the same way. HTTP 402 asks for a payment, after which it would not.
const isFinal = (failure: Failure): boolean =>
  failure._tag === "GenerationFailedError" ||
  (failure._tag === "ResponseError" && ((failure.operation === "submit" && failure.status !== 402) || isGone(failure)))

// These errors affect every row, so stop the batch.
const affectsAllRows = (failure: Failure): boolean =>
  failure._tag === "AuthError" ||
  failure._tag === "UnauthorizedError" ||
  failure._tag === "RateLimitedError" ||
  failure._tag === "TokenStoreError" ||
  failure._tag === "SystemError" ||
  failure._tag === "SetupError" ||
  (failure._tag === "DownloadError" && failure.path !== undefined)

const runGeneration = (task: Task, input: Input, onEvent: Arta.RunSettings["onEvent"]) => {
  const settings = { timeout: Duration.seconds(input.timeout), ...limitsOf(input), onEvent }
  return task._tag === "Submit" ? Arta.run(task.row.request, settings) : Arta.resume(task.recordId, settings)
}

/** Records the failure of a row, and prints it. */
const recordFailure =
  (journal: Journal.Journal, progress: BatchProgress, failed: Ref.Ref<ReadonlyArray<Unfinished>>) =>
  ({ failure, task }: Refusal) =>
    Effect.gen(function* () {
      const unfinished = toUnfinished(task, failure)
      const { error, exitCode, message, row } = unfinished
      if (isFinal(failure)) yield* journal.note({ _tag: "Failed", key: row.key, error, message, exitCode })
      yield* Ref.update(failed, Array.append(unfinished))
      yield* failure._tag === "MissingImages" ? progress.incomplete(task, failure) : progress.failed(task, failure)
    })

const submissionsOf = ({ row }: Task, { breaker, input, journal }: Context): SubmissionJournal.SubmissionJournal => {
  const flags = watchFlags({ ...input, noSave: false })
  const submissions = SubmissionJournal.fromJournal(journal, row.key, flags, input.namer(row.request, row.number))
  return {
    ...submissions,
    accepted: (recordId) => Effect.zipRight(submissions.accepted(recordId), breaker.accepted)
  }
}

/**
 * Generates and saves one row. The journal records each step before the next one. If images did not come, the others
 * are saved, so the row is not generated again.
 */
const runTask = (task: Task, context: Context) =>
  Effect.gen(function* () {
    const { changed, input, journal, progress } = context
    const { row } = task
    yield* progress.started(task)
    const done = yield* runGeneration(task, input, (event) => progress.report(row, event)).pipe(
      SubmissionJournal.withJournal(submissionsOf(task, context))
    )
    const { failures, paths } = yield* saveJournaled(journal, row.key, input)(done)
    const [failure] = failures
    if (failure !== undefined) return yield* failure
    yield* progress.saved(task, done.recordId, paths)
    yield* changed
    yield* failIfMissing(done)
  })

export interface Outcome {
  /** The rows that failed. */
  readonly failed: ReadonlyArray<Unfinished>
  /** The refusals that stopped the batch. Empty: nothing did. */
  readonly stopped: ReadonlyArray<Refusal>
}

/** Runs the tasks in their order. Fails if an error affects all rows. */
export const runRows = (tasks: ReadonlyArray<Task>, journal: Journal.Journal, input: Input) =>
  Effect.gen(function* () {
    const progress = yield* batchProgress(tasks.length, input)
    const failed = yield* Ref.make<ReadonlyArray<Unfinished>>([])
    const fail = recordFailure(journal, progress, failed)
    const breaker = yield* makeBreaker(fail)
    const context: Context = { journal, input, progress, breaker, changed: yield* liveGallery(input.output) }
    yield* Effect.forEach(
      tasks,
      (task) =>
        runTask(task, context).pipe(
          Effect.catchIf(Predicate.not(affectsAllRows), (failure) =>
            isRefusal(failure) ? breaker.refused({ task, failure }) : fail({ task, failure })
          ),
          Effect.unlessEffect(Effect.map(breaker.stopped, Array.isNonEmptyReadonlyArray))
        ),
      { concurrency: input.concurrency, discard: true }
    )
    yield* breaker.end
    const outcome: Outcome = { failed: yield* failed, stopped: yield* breaker.stopped }
    return outcome
  }).pipe(Effect.scoped)
