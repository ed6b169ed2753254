import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberSet from "effect/FiberSet"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Order from "effect/Order"
import type * as Predicate from "effect/Predicate"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as STM from "effect/STM"
import * as Stream from "effect/Stream"
import * as TRef from "effect/TRef"
import * as Arta from "../../Arta.js"
import type { ArtaApi } from "../../ArtaApi.js"
import type { GenerateRequest } from "../../GenerateRequest.js"
import type { Completed, GenerationEvent } from "../../Generation.js"
import type { ApiError } from "./apiError.js"
import { fromArtaError, notStarted, stopped, unexpected } from "./apiError.js"

/** The service has not accepted the generation, or has not responded yet. */
interface Submitting {
  readonly _tag: "Submitting"
}

interface Failed {
  readonly _tag: "Failed"
  readonly error: ApiError
}

export type End = Completed | Failed

export type Progress = Submitting | GenerationEvent | Failed

/** A generation of this server. It goes on if its client leaves. */
export interface ServerGeneration {
  /** Identifies the requests that may join it. */
  readonly fingerprint: string
  readonly request: GenerateRequest
  /** Milliseconds since the Unix epoch. */
  readonly createdAt: number
  readonly endedAt: Ref.Ref<number | undefined>
  readonly progress: TRef.TRef<Progress>
  /** Whether its client has left without the outcome. */
  readonly isLost: Ref.Ref<boolean>
}

interface Start {
  readonly fingerprint: string
  readonly request: GenerateRequest
  /** Whether the client says that it may have sent this request before. */
  readonly mayJoin: boolean
}

export interface Generations {
  /** Starts a generation, or joins one that this request repeats. */
  readonly use: <A, E, R>(
    start: Start,
    respond: (generation: ServerGeneration) => Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E | ApiError, R>
  readonly find: (recordId: string) => Effect.Effect<Option.Option<ServerGeneration>>
  /** The accepted generations, the newest first. */
  readonly all: Effect.Effect<ReadonlyArray<ServerGeneration>>
}

/** When the server stops, its generations have this long to finish. */
const grace = "8 seconds"

// A client of OpenAI waits for up to ten minutes before it sends a request again.
const retentionMillis = 15 * 60_000

export const isEnd = (progress: Progress): progress is End =>
  progress._tag === "Completed" || progress._tag === "Failed"

const recordIdOf = (progress: Progress): string | undefined => {
  if (progress._tag === "Submitting") return undefined
  return progress._tag === "Failed" ? progress.error.recordId : progress.recordId
}

/** Notes that the client has left if its response ends like this. */
export const noteLeft = ({ isLost }: ServerGeneration, exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> =>
  Exit.isInterrupted(exit) ? Ref.set(isLost, true) : Effect.void

/** Notes that a client has been told the outcome. */
export const noteTold = ({ isLost }: ServerGeneration): Effect.Effect<void> => Ref.set(isLost, false)

const isAccepted = (progress: Progress): progress is GenerationEvent | Failed => progress._tag !== "Submitting"

/** Waits until the progress is of this kind. */
const awaitProgress = <A extends Progress>(
  { progress }: ServerGeneration,
  isWanted: Predicate.Refinement<Progress, A>
): Effect.Effect<A> =>
  // In effect 3.22, the reference holds an interrupted transaction, and so the request of a client, until the next one.
  Effect.onInterrupt(STM.retryUntil(TRef.get(progress), isWanted), () => TRef.get(progress))

/** Waits until the service accepts the generation, or it ends. */
export const awaitAccepted = (generation: ServerGeneration): Effect.Effect<GenerationEvent | Failed> =>
  awaitProgress(generation, isAccepted)

/** Waits until the generation ends. */
export const awaitEnd = (generation: ServerGeneration): Effect.Effect<End> => awaitProgress(generation, isEnd)

/** Emits the progress, and each change of it until the generation ends. */
export const changesOf = (generation: ServerGeneration): Stream.Stream<Progress> =>
  Stream.paginateEffect<Progress | undefined, Progress, never, never>(undefined, (seen) =>
    Effect.map(
      awaitProgress(generation, (progress): progress is Progress => progress !== seen),
      (progress) => [progress, isEnd(progress) ? Option.none() : Option.some(progress)]
    )
  )

const newestFirst = Order.reverse(Order.mapInput(Order.number, ({ createdAt }: ServerGeneration) => createdAt))

/**
 * Some clients do not say that they send a request again, such as the AI SDK after a lost connection. So a request
 * joins an equal one that has lost its client in any case.
 */
const choose = (equal: ReadonlyArray<ServerGeneration>, mayJoin: boolean) =>
  Effect.gen(function* () {
    const lost = yield* Effect.findFirst(equal, ({ isLost }) => Ref.getAndSet(isLost, false))
    return Option.getOrElse(lost, () => (mayJoin ? equal.at(-1) : undefined))
  })

/**
 * The generations of a server. They run in its scope. When it closes, they have a while to finish, and fail with
 * `stopped` after that, so that their clients are told.
 */
export const make = (timeout: Duration.DurationInput): Effect.Effect<Generations, never, ArtaApi | Scope.Scope> =>
  Effect.gen(function* () {
    const arta = yield* Arta.make
    const byFingerprint = yield* Ref.make(HashMap.empty<string, ReadonlyArray<ServerGeneration>>())
    const byRecordId = yield* Ref.make(HashMap.empty<string, ServerGeneration>())
    const fibers = yield* FiberSet.make()
    const isStopping = yield* Ref.make(false)
    const turns = yield* Effect.makeSemaphore(1)

    const withFingerprint = (fingerprint: string) =>
      Effect.map(Ref.get(byFingerprint), (all) => Option.getOrElse(HashMap.get(all, fingerprint), () => []))

    const forget = (generation: ServerGeneration) =>
      Ref.update(
        byFingerprint,
        HashMap.modifyAt(
          generation.fingerprint,
          Option.flatMap((all) => {
            const others = all.filter((other) => other !== generation)
            return others.length === 0 ? Option.none() : Option.some(others)
          })
        )
      )

    const isOutdated = ({ endedAt }: ServerGeneration, now: number) =>
      Effect.map(Ref.get(endedAt), (end) => end !== undefined && end < now - retentionMillis)

    const sweep = Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const all = [...HashMap.values(yield* Ref.get(byFingerprint))].flat()
      const outdated = yield* Effect.filter(all, (generation) => isOutdated(generation, now))
      yield* Effect.forEach(outdated, forget, { discard: true })
      const old = new Set(outdated)
      yield* Ref.update(
        byRecordId,
        HashMap.filter((generation) => !old.has(generation))
      )
    })
    yield* Effect.forkScoped(Effect.repeat(sweep, Schedule.spaced("1 minute")))

    const end = (generation: ServerGeneration, last: End) =>
      Effect.gen(function* () {
        // A defect after the end does not change it.
        if (isEnd(yield* TRef.get(generation.progress))) return
        yield* Ref.set(generation.endedAt, yield* Clock.currentTimeMillis)
        // If nothing can have been accepted, the same request may be submitted.
        if (last._tag === "Failed" && !last.error.mayBePaid) yield* forget(generation)
        yield* TRef.set(generation.progress, last)
      })

    const report = (generation: ServerGeneration, event: GenerationEvent) =>
      Effect.gen(function* () {
        if (event._tag === "Completed") return yield* end(generation, event)
        if (event._tag === "Submitted") {
          const { model, n, seed } = event.request
          yield* Ref.update(byRecordId, HashMap.set<string, ServerGeneration>(event.recordId, generation))
          yield* Effect.logInfo(`Submitted ${event.recordId}: ${model}, n ${String(n)}, seed ${String(seed)}`)
        }
        yield* TRef.set(generation.progress, event)
      })

    const failureOf = (generation: ServerGeneration, cause: Cause.Cause<Parameters<typeof fromArtaError>[0]>) =>
      Effect.gen(function* () {
        const failure = Cause.failureOption(cause)
        if (Option.isSome(failure)) return fromArtaError(failure.value)
        const recordId = recordIdOf(yield* TRef.get(generation.progress))
        if (Cause.isInterruptedOnly(cause)) return stopped(recordId, generation.request.seed)
        yield* Effect.logError("A generation ended with an unexpected error.", cause)
        return unexpected(recordId, generation.request.seed)
      })

    /** Runs a generation to its end, which is reported even if the server stops. */
    const run = (generation: ServerGeneration) =>
      arta.run(generation.request, { timeout, onEvent: (event) => report(generation, event) }).pipe(
        Effect.interruptible,
        Effect.catchAllCause((cause) =>
          Effect.flatMap(failureOf(generation, cause), (error) => end(generation, { _tag: "Failed", error }))
        ),
        Effect.uninterruptible
      )

    const begin = (fingerprint: string, request: GenerateRequest) =>
      Effect.gen(function* () {
        if (yield* Ref.get(isStopping)) return yield* notStarted
        const generation: ServerGeneration = {
          fingerprint,
          request,
          createdAt: yield* Clock.currentTimeMillis,
          endedAt: yield* Ref.make<number | undefined>(undefined),
          progress: yield* TRef.make<Progress>({ _tag: "Submitting" }),
          isLost: yield* Ref.make(false)
        }
        yield* Ref.update(
          byFingerprint,
          HashMap.modifyAt(fingerprint, (all) => Option.some([...Option.getOrElse(all, () => []), generation]))
        )
        yield* FiberSet.run(fibers, run(generation))
        return generation
      })

    yield* Effect.addFinalizer(() =>
      Effect.zipRight(
        Ref.set(isStopping, true),
        // Finalizers are uninterruptible. `timeout` must be able to interrupt the wait.
        Effect.ignore(Effect.timeout(Effect.interruptible(FiberSet.awaitEmpty(fibers)), grace))
      )
    )

    return {
      use: ({ fingerprint, mayJoin, request }, respond) =>
        Effect.acquireUseRelease(
          withFingerprint(fingerprint).pipe(
            Effect.flatMap((equal) => choose(equal, mayJoin)),
            Effect.flatMap((joined) => (joined === undefined ? begin(fingerprint, request) : Effect.succeed(joined))),
            turns.withPermits(1)
          ),
          respond,
          noteLeft
        ),
      find: (recordId) => Effect.map(Ref.get(byRecordId), HashMap.get(recordId)),
      all: Effect.map(Ref.get(byRecordId), (all) => [...HashMap.values(all)].sort(newestFirst))
    }
  })
