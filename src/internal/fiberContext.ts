import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import * as HashMap from "effect/HashMap"

// For a fiber that ends with the effect that needs them. `Effect.provideService` and `Effect.annotateLogs` also restore
// what was there before, which takes half as many steps as a whole poll.

/** Adds a service to the context of the running fiber. */
export const addToContext = <I, S>(tag: Context.Tag<I, S>, service: S): Effect.Effect<void> =>
  FiberRef.update(FiberRef.currentContext, Context.add(tag, service))

/** Adds an annotation to the logs of the running fiber. */
export const addLogAnnotation = (key: string, value: unknown): Effect.Effect<void> =>
  FiberRef.update(FiberRef.currentLogAnnotations, HashMap.set(key, value))
