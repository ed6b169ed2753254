import type { PlatformError } from "@effect/platform/Error"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberSet from "effect/FiberSet"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { GenerateRequest, Generation } from "effect-arta"
import type { Failure, SetupError } from "../../shared/errors.js"
import { isGone } from "../../shared/errors.js"
import type { SaveResult } from "../../shared/saveImages.js"
import type { LastKnown, SubmissionJournal } from "../../shared/submissionJournal.js"
import * as Submissions from "../../shared/submissionJournal.js"

/** How far a generation is. While it waits, nothing has been sent. */
export type Stage = "waiting" | "submitting" | "queued" | "generating" | "saving"

/** The end of a generation whose images came. */
export interface Saved extends SaveResult {
  readonly _tag: "Saved"
  readonly recordId: Generation.RecordId
  readonly missing: number
}

/** How a generation ended. `Stopped`: the server was stopped, or its code has a defect. */
export type Outcome = Saved | { readonly _tag: "Failed"; readonly failure: Failure } | { readonly _tag: "Stopped" }

/**
 * Whether somebody is waiting for the outcome, or has it. A call that was cancelled, timed out, or was told to come
 * back leaves its generation unattended.
 */
type Attendance = "attended" | "unattended" | "delivered"

/** A generation in the background. It outlives the call that started it, because it is paid for. */
export interface Job {
  /** Its key in the journal. */
  readonly key: string
  /** The arguments of the call, to recognize an equal one. */
  readonly call: Option.Option<string>
  /** None: another program submitted it. */
  readonly request: Option.Option<GenerateRequest.GenerateRequest>
  readonly startedAt: number
  readonly stage: SubscriptionRef.SubscriptionRef<Stage>
  readonly lastKnown: Ref.Ref<LastKnown>
  readonly attendance: Ref.Ref<Attendance>
  readonly outcome: Deferred.Deferred<Outcome>
  readonly fiber: Fiber.RuntimeFiber<unknown, unknown>
}

type Work<R> = Effect.Effect<Saved, Failure | PlatformError | SetupError, R>

const toOutcome = (exit: Exit.Exit<Saved, Failure>): Outcome =>
  Exit.match(exit, {
    onSuccess: (saved): Outcome => saved,
    onFailure: (cause) =>
      Option.match(Cause.failureOption(cause), {
        onNone: (): Outcome => ({ _tag: "Stopped" }),
        onSome: (failure): Outcome => ({ _tag: "Failed", failure })
      })
  })

/** Shows where a submission stands. */
export const trackStage = (
  { accepted, begin, refused }: SubmissionJournal,
  { lastKnown, stage }: Pick<Job, "lastKnown" | "stage">
): SubmissionJournal =>
  Submissions.track(
    {
      begin: (request) => Effect.zipLeft(begin(request), SubscriptionRef.set(stage, "submitting")),
      accepted: (recordId) => Effect.zipRight(SubscriptionRef.set(stage, "queued"), accepted(recordId)),
      refused: Effect.zipRight(SubscriptionRef.set(stage, "waiting"), refused)
    },
    lastKnown
  )

export const reportStage =
  ({ stage }: Pick<Job, "stage">) =>
  ({ _tag }: Generation.GenerationEvent): Effect.Effect<void> => {
    switch (_tag) {
      case "Submitted":
      case "Queued":
        return SubscriptionRef.set(stage, "queued")
      case "InProgress":
        return SubscriptionRef.set(stage, "generating")
      case "Completed":
        return SubscriptionRef.set(stage, "saving")
    }
  }

/** Starts a generation in the background. */
export const start = <R>(
  fibers: FiberSet.FiberSet,
  subject: Pick<Job, "call" | "key" | "request"> & { readonly known: LastKnown },
  work: (job: Pick<Job, "lastKnown" | "stage">) => Work<R>
): Effect.Effect<Job, never, R> =>
  Effect.gen(function* () {
    const startedAt = yield* Clock.currentTimeMillis
    const stage = yield* SubscriptionRef.make<Stage>(subject.known.recordId === undefined ? "waiting" : "queued")
    const lastKnown = yield* Ref.make(subject.known)
    const attendance = yield* Ref.make<Attendance>("attended")
    const outcome = yield* Deferred.make<Outcome>()
    const fiber = yield* Effect.interruptible(work({ lastKnown, stage })).pipe(
      Effect.exit,
      Effect.map(toOutcome),
      Effect.flatMap((end) => Deferred.succeed(outcome, end)),
      Effect.asVoid,
      FiberSet.run(fibers)
    )
    const { call, key, request } = subject
    return { attendance, call, fiber, key, lastKnown, outcome, request, stage, startedAt }
  }).pipe(Effect.uninterruptible)

/** How the call has ended. None: the generation is still running. */
export const ended = ({ outcome }: Job): Effect.Effect<Option.Option<Outcome>> =>
  Effect.flatMap(Deferred.poll(outcome), Effect.transposeOption)

/** Whether nothing more can be expected of a generation, so that an equal call is a new request. */
const isFinal = (outcome: Outcome, { recordId, request }: LastKnown): boolean => {
  switch (outcome._tag) {
    case "Saved":
      return outcome.failures.length === 0
    case "Failed":
      return (
        outcome.failure._tag === "GenerationFailedError" ||
        (outcome.failure._tag === "ResponseError" && isGone(outcome.failure)) ||
        (recordId === undefined && request === undefined)
      )
    case "Stopped":
      return recordId === undefined && request === undefined
  }
}

/** Notes that the caller gets the outcome, or is told to come back. */
export const deliver = (job: Job, outcome: Option.Option<Outcome>): Effect.Effect<void> =>
  Effect.flatMap(Ref.get(job.lastKnown), (known) =>
    Ref.set(job.attendance, Option.exists(outcome, (end) => isFinal(end, known)) ? "delivered" : "unattended")
  )

/** Takes over a generation that nobody waits for. False: somebody does, or has its outcome. */
export const takeOver = ({ attendance }: Job): Effect.Effect<boolean> =>
  Ref.modify(attendance, (before): [boolean, Attendance] =>
    before === "unattended" ? [true, "attended"] : [false, before]
  )

/** Whether a call is waiting for a generation that is still running. */
export const isAttended = (job: Job): Effect.Effect<boolean> =>
  Effect.zipWith(
    Ref.get(job.attendance),
    ended(job),
    (attendance, outcome) => attendance === "attended" && Option.isNone(outcome)
  )

/** The caller has left. Only a generation that has not been sent is stopped: the service cancels none. */
export const abandon = ({ attendance, fiber, lastKnown }: Job): Effect.Effect<void> =>
  Effect.flatMap(Ref.get(lastKnown), ({ recordId, request }) =>
    recordId === undefined && request === undefined ? Fiber.interruptFork(fiber) : Ref.set(attendance, "unattended")
  )
