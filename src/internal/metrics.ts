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

/** Updates a metric and goes on, in one step. `Metric.update` takes six. */
const updated = <Type, In, Out, A, E, R>(
  metric: Metric.Metric<Type, In, Out>,
  value: In,
  next: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.withFiberRuntime((fiber) => {
    metric.unsafeUpdate(value, fiber.getFiberRef(FiberRef.currentMetricLabels))
    return next
  })

export const countedPoll = <A, E, R>(poll: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => updated(polls, 1, poll)

export const renewals: Metric.Metric.Counter<number> = Metric.counter("effect_arta_renewals", {
  description: "Sign-ups and refreshes by operation",
  incremental: true
})

const countOutcome = (outcome: string): Effect.Effect<void> =>
  updated(Metric.tagged(generations, "outcome", outcome), 1, Effect.void)

const outcomeOf = (cause: Cause.Cause<ArtaError>): string =>
  Option.match(Cause.failureOption(cause), {
    onNone: () => (Cause.isInterruptedOnly(cause) ? "interrupted" : "defect"),
    onSome: ({ _tag }) => _tag
  })

const annotateError = (cause: Cause.Cause<ArtaError>): Effect.Effect<void> =>
  Cause.isInterruptedOnly(cause) ? Effect.void : Effect.annotateCurrentSpan("error.type", outcomeOf(cause))

const reportFailure = (cause: Cause.Cause<ArtaError>): Effect.Effect<void> =>
  Effect.zipRight(annotateError(cause), countOutcome(outcomeOf(cause)))

/** Counts a generation that fails before it is accepted. */
export const countedStart: <A, E extends ArtaError, R>(submit: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R> =
  Effect.tapErrorCause(reportFailure)

const recordDuration = ({ elapsed }: Completed): Effect.Effect<void> =>
  updated(seconds, Duration.toSeconds(elapsed), Effect.void)

/**
 * The events of a generation: the `first` one, and each `next` one until it has completed. Counts the generation by its
 * outcome, and records its duration if it completed. The consumer's own failures are not outcomes of the generation: as
 * labels they would be unbounded.
 *
 * Each operator of `Stream` takes as much CPU time as a poll, so the effects do most of the work.
 */
export const countedEvents = <E extends ArtaError, R>(
  next: Effect.Effect<GenerationEvent, E, R>,
  first?: GenerationEvent
): Effect.Effect<Stream.Stream<GenerationEvent, E, R>> =>
  Effect.map(Ref.make<string | undefined>(undefined), (outcome) => {
    const counted = next.pipe(
      Effect.tap((event) =>
        event._tag === "Completed" ? Effect.zipRight(Ref.set(outcome, "completed"), recordDuration(event)) : Effect.void
      ),
      Effect.tapErrorCause((cause) => Effect.zipRight(annotateError(cause), Ref.set(outcome, outcomeOf(cause))))
    )
    const emit = (event: GenerationEvent) =>
      [event, event._tag === "Completed" ? Option.none() : Option.some(counted)] as const
    const events = Stream.paginateEffect(first === undefined ? counted : Effect.succeed(first), Effect.map(emit))
    return Stream.ensuringWith(events, (exit) =>
      Effect.flatMap(Ref.get(outcome), (known) =>
        countOutcome(known ?? (Exit.isInterrupted(exit) ? "interrupted" : "consumer-ended"))
      )
    )
  })

/** Counts a generation whose caller only needs the outcome. */
export const countOutcomeOf: (exit: Exit.Exit<Completed, ArtaError>) => Effect.Effect<void> = Exit.match({
  onFailure: reportFailure,
  onSuccess: (completed) => Effect.zipRight(recordDuration(completed), countOutcome("completed"))
})
