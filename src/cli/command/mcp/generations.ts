import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { ArtaError, GenerateRequest, Generation } from "effect-arta"
import { Arta, ImageFile } from "effect-arta"
import { randomUUID } from "node:crypto"
import type { JournalRecord } from "../../shared/journal.js"
import * as Journal from "../../shared/journal.js"
import type { SaveResult, SaveServices } from "../../shared/saveImages.js"
import { saveJournaled } from "../../shared/saveImages.js"
import { saveWatched } from "../../shared/saveWatched.js"
import type { LastKnown } from "../../shared/submissionJournal.js"
import * as SubmissionJournal from "../../shared/submissionJournal.js"
import type { Job, Outcome, Stage } from "./job.js"
import * as Jobs from "./job.js"
import { printUnfinished } from "./printUnfinished.js"

export interface Settings {
  /** The absolute path of the directory for the images. */
  readonly directory: string
  readonly emulator: boolean
  /** How many seconds a generation may take. */
  readonly timeout: number
  /** How long a call waits before it is told to come back. */
  readonly patience: Duration.DurationInput
}

/** Where a generation stands when a call returns. */
export interface Report {
  readonly stage: Stage
  readonly known: LastKnown
  readonly elapsed: Duration.Duration
  readonly request: Option.Option<GenerateRequest.GenerateRequest>
  /** None: it is still running. */
  readonly outcome: Option.Option<Outcome>
  /** Whether an earlier, equal call submitted it. */
  readonly isEarlier: boolean
}

/** A generation in the journal, with its report if this server has one. */
export interface Listed {
  readonly record: JournalRecord
  readonly report: Option.Option<Report>
}

/** Watches the progress of a generation, as long as the call waits for it. */
export type Watch = (job: Pick<Job, "lastKnown" | "stage" | "startedAt">) => Effect.Effect<void>

export interface Generations {
  /** Submits a generation, unless an equal call left one behind whose images nobody got. */
  readonly generate: (
    options: GenerateRequest.Options,
    watch: Watch
  ) => Effect.Effect<Report, ArtaError.InvalidRequestError | ArtaError.UnknownModelError>
  /** Waits for the images of a submitted generation. */
  readonly check: (recordId: Generation.RecordId, watch: Watch) => Effect.Effect<Report>
  /** The latest generations in the directory, newest first. */
  readonly list: Effect.Effect<ReadonlyArray<Listed>>
  /** Ends once no generation is running. */
  readonly idle: Effect.Effect<void>
}

interface Choice {
  readonly job: Job
  readonly isEarlier: boolean
}

const remembered = 1000
const listed = 10

// At most two seconds.
const cancellationTime = Schedule.intersect(Schedule.spaced("50 millis"), Schedule.recurs(40))

const emulatedPrefix = "emulated-"

const savedAs = ({ missing, recordId }: Generation.Generation, result: SaveResult): Jobs.Saved => ({
  _tag: "Saved",
  recordId,
  missing,
  ...result
})

/** Runs generations in the background. Closing the scope stops them, but waits for the response to a submission. */
export const make = (settings: Settings): Effect.Effect<Generations, never, SaveServices | Scope.Scope> =>
  Effect.gen(function* () {
    const { directory, emulator, patience, timeout } = settings
    const services = yield* Effect.context<SaveServices>()
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const output = { output: directory, metadata: "full" } as const
    const jobs = yield* Ref.make<ReadonlyArray<Job>>([])
    // The emulator in memory keeps nothing.
    yield* Effect.addFinalizer(() =>
      Effect.flatMap(Ref.get(jobs), (all) => printUnfinished(emulator ? [] : all, directory))
    )
    const fibers = yield* FiberSet.make()

    const remember = (job: Job) =>
      Effect.as(
        Ref.update(jobs, (before) => [job, ...before].slice(0, remembered)),
        job
      )

    const runSettingsOf = (job: Pick<Job, "stage">) => ({
      timeout: Duration.seconds(timeout),
      onEvent: Jobs.reportStage(job)
    })

    const startGeneration = (call: string, request: GenerateRequest.GenerateRequest) => {
      const key = `${emulator ? emulatedPrefix : ""}${randomUUID()}`
      const name = ImageFile.nameOf(request)
      return Jobs.start(fibers, { call: Option.some(call), key, request: Option.some(request), known: {} }, (job) =>
        Effect.gen(function* () {
          const journal = yield* Journal.open(directory)
          const submissions = SubmissionJournal.fromJournal(journal, key, Option.none(), name)
          const generation = yield* Arta.run(request, runSettingsOf(job)).pipe(
            SubmissionJournal.withJournal(Jobs.trackStage(submissions, job))
          )
          return savedAs(generation, yield* saveJournaled(journal, key, output)(generation))
        }).pipe(Effect.scoped, Effect.provide(services))
      ).pipe(Effect.flatMap(remember))
    }

    const startResuming = (recordId: Generation.RecordId, earlier: Pick<Job, "call" | "key" | "request">) =>
      Jobs.start(fibers, { ...earlier, known: { recordId } }, (job) =>
        Arta.resume(recordId, runSettingsOf(job)).pipe(
          Effect.flatMap((generation) =>
            Effect.map(saveWatched(output)(generation), (result) => savedAs(generation, result))
          ),
          Effect.provide(services)
        )
      ).pipe(Effect.flatMap(remember))

    const reportOf = (job: Job, isEarlier: boolean) =>
      Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        const report: Report = {
          stage: yield* SubscriptionRef.get(job.stage),
          known: yield* Ref.get(job.lastKnown),
          elapsed: Duration.millis(now - job.startedAt),
          request: job.request,
          outcome: yield* Jobs.ended(job),
          isEarlier
        }
        return report
      })

    const wait = (job: Job, watch: Watch) =>
      Effect.scoped(
        Effect.zipRight(Effect.forkScoped(watch(job)), Effect.timeoutOption(Deferred.await(job.outcome), patience))
      )

    // Equal calls at the same time must not choose the same generation.
    const turns = yield* Effect.makeSemaphore(1)

    /** Chooses or starts a generation and waits for it, but not longer than a client does. */
    const attend = <E>(choose: Effect.Effect<Choice, E>, watch: Watch): Effect.Effect<Report, E> =>
      Effect.uninterruptibleMask((restore) =>
        Effect.gen(function* () {
          const { isEarlier, job } = yield* turns.withPermits(1)(choose)
          yield* Effect.onInterrupt(restore(wait(job, watch)), () => Jobs.abandon(job))
          const report = yield* reportOf(job, isEarlier)
          yield* Jobs.deliver(job, report.outcome)
          return report
        })
      )

    const filesExist = (files: ReadonlyArray<string>) =>
      Effect.orElseSucceed(Effect.every(files, fs.exists), () => false)

    /** Waits for a generation, or watches it again unless it has failed or all of its images are there. */
    const goOn = (job: Job) =>
      Effect.gen(function* () {
        const { recordId } = yield* Ref.get(job.lastKnown)
        const outcome = yield* Jobs.ended(job)
        const isDone = yield* Option.match(outcome, {
          onNone: () => Effect.succeed(true),
          onSome: (end) =>
            end._tag === "Saved" && end.failures.length === 0
              ? filesExist(end.paths)
              : Effect.succeed(end._tag === "Failed" && end.failure._tag === "GenerationFailedError")
        })
        return isDone || recordId === undefined ? job : yield* startResuming(recordId, job)
      })

    const equalJobs = (call: string) =>
      Effect.map(Ref.get(jobs), (all) => all.filter((job) => Option.contains(job.call, call)))

    const findUnattended = (call: string) =>
      Effect.flatMap(equalJobs(call), (equal) => Effect.findFirst(equal, Jobs.takeOver))

    /** Over HTTP, a call can overtake the cancellation of an equal one before it. */
    const awaitCancellation = (call: string) =>
      Effect.flatMap(equalJobs(call), (equal) => Effect.exists(equal, Jobs.isAttended)).pipe(
        Effect.repeat({ while: (isAttended) => isAttended, schedule: cancellationTime })
      )

    const readJournal = Effect.orElseSucceed(Journal.read(directory), () => []).pipe(
      Effect.map((records) => records.filter(({ key }) => key.startsWith(emulatedPrefix) === emulator)),
      Effect.provide(services)
    )

    /** The files of a generation that is saved already. */
    const findSaved = (recordId: Generation.RecordId) =>
      Effect.gen(function* () {
        const record = (yield* readJournal).find((record) => record.recordId === recordId)
        if (record?.last._tag !== "Saved" || record.last.files.length === 0) return Option.none()
        const paths = record.last.files.map((file) => path.join(directory, file))
        if (!(yield* filesExist(paths))) return Option.none()
        const outcome: Outcome = {
          _tag: "Saved",
          recordId,
          paths,
          failures: [],
          missing: Math.max(0, record.request.n - paths.length)
        }
        const report: Report = {
          stage: "saving",
          known: { recordId },
          elapsed: Duration.zero,
          request: Option.some(record.request),
          outcome: Option.some(outcome),
          isEarlier: false
        }
        return Option.some(report)
      })

    const findJob = (recordId: Generation.RecordId) =>
      Effect.flatMap(Ref.get(jobs), (all) =>
        Effect.findFirst(all, (job) => Effect.map(Ref.get(job.lastKnown), (known) => known.recordId === recordId))
      )

    const resume = (recordId: Generation.RecordId) =>
      Effect.gen(function* () {
        const known = yield* findJob(recordId)
        if (Option.isSome(known)) return yield* goOn(known.value)
        const record = (yield* readJournal).find((record) => record.recordId === recordId)
        const request = Option.fromNullable(record?.request)
        return yield* startResuming(recordId, { call: Option.none(), key: record?.key ?? recordId, request })
      })

    return {
      generate: (options, watch) =>
        Effect.gen(function* () {
          const request = yield* Arta.prepare(options)
          const call = JSON.stringify(options)
          yield* awaitCancellation(call)
          return yield* Effect.gen(function* () {
            const earlier = yield* findUnattended(call)
            return Option.isSome(earlier)
              ? { job: yield* goOn(earlier.value), isEarlier: true }
              : { job: yield* startGeneration(call, request), isEarlier: false }
          }).pipe((choose) => attend(choose, watch))
        }),
      check: (recordId, watch) =>
        Effect.flatMap(
          findSaved(recordId),
          Option.match({
            onNone: () =>
              attend(
                Effect.map(resume(recordId), (job) => ({ job, isEarlier: false })),
                watch
              ),
            onSome: Effect.succeed
          })
        ),
      list: Effect.gen(function* () {
        const all = yield* Ref.get(jobs)
        const records = [...(yield* readJournal)].reverse().slice(0, listed)
        return yield* Effect.forEach(records, (record) =>
          Effect.map(
            Effect.transposeOption(
              Option.map(Option.fromNullable(all.find(({ key }) => key === record.key)), (job) => reportOf(job, false))
            ),
            (report): Listed => ({ record, report })
          )
        )
      }),
      idle: FiberSet.awaitEmpty(fibers)
    }
  })
