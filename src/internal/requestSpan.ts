import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Effect from "effect/Effect"
import * as Tracer from "effect/Tracer"
import { annotateAttempt } from "./retry.js"

const defaultTracer = Context.get(DefaultServices.liveServices, Tracer.Tracer)

type Attributes = Readonly<Record<string, unknown>>

/**
 * A span for one request, with its attempt, these attributes and those of its result. There is none with the default
 * tracer, which shows its spans to nobody: they would take much of the CPU time of a poll.
 */
export const withRequestSpan = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  name: string,
  attributes: Attributes,
  resultAttributes: (result: A) => Attributes
): Effect.Effect<A, E, R> =>
  Effect.withFiberRuntime(({ currentTracer }) =>
    currentTracer === defaultTracer
      ? effect
      : Effect.zipRight(annotateAttempt, effect).pipe(
          Effect.tap((result) => Effect.annotateCurrentSpan(resultAttributes(result))),
          Effect.withSpan(name, { attributes })
        )
  )
