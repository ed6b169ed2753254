import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberRef from "effect/FiberRef"
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Stream from "effect/Stream"
import type { ArtaError } from "../ArtaError.js"
import type { Completed, GenerationEvent } from "../Generation.js"

const generations = Metric.counter("effect_arta_generations", {
  description: "Generations by outcome",
  incremental: true
})

const seconds = Metric.histogram(
  "effect_arta_generation_seconds",
  MetricBoundaries.exponential({ start: 0.5, factor: 2, count: 10 }),
  "Seconds per completed generation"
)

const polls = Metric.counter("effect_arta_polls", {
  description: "Status requests",
  incremental: true
})

/** Counts a poll in one step. `Metric.increment` takes six. */
export const countedPoll = <A, E, R>(poll: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.withFiberRuntime((fiber) => {
    polls.unsafeUpdate(1, fiber.getFiberRef(FiberRef.currentMetricLabels))
    return poll
  })

export const renewals: Metric.Metric.Counter<number> = Metric.counter("effect_arta_renewals", {
  description: "Sign-ups and refreshes by operation",
  incremental: true
})

const countOutcome = (outcome: string): Effect.Effect<void> =>
  Metric.increment(Metric.tagged(generations, "outcome", outcome))

const outcomeOf = (cause: Cause.Cause<ArtaError>): string =>
  Option.match(Cause.failureOption(cause), {
    onNone: () => (Cause.isInterruptedOnly(cause) ? "interrupted" : "defect"),
    onSome: ({ _tag }) => _tag
  })

const annotateError = (cause: Cause.Cause<ArtaError>): Effect.Effect<void> =>
  Option.match(Cause.failureOption(cause), {
    onNone: () => Effect.void,
    onSome: ({ _tag }) => Effect.annotateCurrentSpan("error.type", _tag)
  })

const reportFailure = (cause: Cause.Cause<ArtaError>): Effect.Effect<void> =>
  Effect.zipRight(annotateError(cause), countOutcome(outcomeOf(cause)))

/** Counts a generation that fails before it is accepted. */
export const countedStart: <A, E extends ArtaError, R>(submit: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R> =
  Effect.tapErrorCause(reportFailure)

const recordDuration = ({ elapsed }: Completed): Effect.Effect<void> =>
  Metric.update(seconds, Duration.toSeconds(elapsed))

/**
 * Counts a generation by its outcome, and records its duration if it completed. The consumer's own failures are not
 * outcomes of the generation: as labels they would be unbounded.
 */
export const countedEvents = <E extends ArtaError, R>(
  events: Stream.Stream<GenerationEvent, E, R>
): Stream.Stream<GenerationEvent, E, R> =>
  Effect.map(Ref.make<string | undefined>(undefined), (outcome) =>
    events.pipe(
      Stream.tap((event) =>
        event._tag === "Completed" ? Effect.zipRight(Ref.set(outcome, "completed"), recordDuration(event)) : Effect.void
      ),
      Stream.tapErrorCause((cause) => Effect.zipRight(annotateError(cause), Ref.set(outcome, outcomeOf(cause)))),
      Stream.ensuringWith((exit) =>
        Effect.flatMap(Ref.get(outcome), (known) =>
          countOutcome(known ?? (Exit.isInterrupted(exit) ? "interrupted" : "consumer-ended"))
        )
      )
    )
  ).pipe(Stream.unwrap)

/** Like `countedEvents`, for a caller that only needs the outcome. */
export const countedOutcome = <E extends ArtaError, R>(
  outcome: Effect.Effect<Completed, E, R>
): Effect.Effect<Completed, E, R> =>
  Effect.onExit(
    outcome,
    Exit.match({
      onFailure: reportFailure,
      onSuccess: (completed) => Effect.zipRight(recordDuration(completed), countOutcome("completed"))
    })
  )
