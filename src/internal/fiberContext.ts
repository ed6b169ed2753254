import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import * as HashMap from "effect/HashMap"
import * as Tracer from "effect/Tracer"

// For a fiber that ends with the effect that needs them. `Effect.provideService` and `Effect.annotateLogs` also restore
// what was there before, which takes half as many steps as a whole poll.

/** Adds a service to the context of the running fiber, and the span if there is one. */
export const addToContext = <I, S>(tag: Context.Tag<I, S>, service: S, span?: Tracer.Span): Effect.Effect<void> =>
  FiberRef.update(FiberRef.currentContext, (context) => {
    const added = Context.add(context, tag, service)
    return span === undefined ? added : Context.add(added, Tracer.ParentSpan, span)
  })

/** Adds an annotation to the logs of the running fiber. */
export const addLogAnnotation = (key: string, value: unknown): Effect.Effect<void> =>
  FiberRef.update(FiberRef.currentLogAnnotations, HashMap.set(key, value))
