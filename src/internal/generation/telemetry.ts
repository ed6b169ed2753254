import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as FiberRef from "effect/FiberRef"
import * as Tracer from "effect/Tracer"
import type { GenerateRequest } from "../../GenerateRequest.js"
import type { RecordId } from "../../Generation.js"

// Captured stack frames would always point here.
export const clientSpan = { captureStackTrace: false, kind: "client" } as const

/** Runs an effect in a span. Without one, in the current span. */
export const inSpan = <A, E, R>(effect: Effect.Effect<A, E, R>, span?: Tracer.Span): Effect.Effect<A, E, R> =>
  span === undefined
    ? effect
    : Effect.mapInputContext(effect, (context: Context.Context<R>) => Context.add(context, Tracer.ParentSpan, span))

/** Ends a span as `Effect.useSpan` does. */
export const endSpan = (span: Tracer.Span, exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> =>
  Effect.withFiberRuntime((fiber) => {
    const clock = Context.get(fiber.currentDefaultServices, Clock.Clock)
    span.end(fiber.getFiberRef(FiberRef.currentTracerTimingEnabled) ? clock.unsafeCurrentTimeNanos() : 0n, exit)
    return Effect.void
  })

/** Adds attributes to a span. Without one, to the current span. */
const annotate = (attributes: Readonly<Record<string, unknown>>, span?: Tracer.Span): Effect.Effect<void> =>
  Effect.withFiberRuntime(({ currentSpan }) => {
    const annotated = span ?? currentSpan
    if (annotated?._tag === "Span") {
      for (const [name, value] of Object.entries(attributes)) annotated.attribute(name, value)
    }
    return Effect.void
  })

/**
 * Describes a generation by the conventions of OpenTelemetry for generative AI. The prompt is left out: it is the
 * user's.
 *
 * See https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/.
 */
export const annotateRequest = (request: GenerateRequest, span?: Tracer.Span): Effect.Effect<void> =>
  annotate(
    {
      model: request.model,
      "gen_ai.operation.name": "generate_content",
      "gen_ai.provider.name": "arta",
      "gen_ai.output.type": "image",
      "gen_ai.request.model": request.model,
      "gen_ai.request.seed": request.seed,
      "gen_ai.request.choice.count": request.n
    },
    span
  )

export const annotateRecordId = (recordId: RecordId, span?: Tracer.Span): Effect.Effect<void> =>
  annotate({ recordId, "gen_ai.response.id": recordId }, span)
