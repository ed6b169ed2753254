import type * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import * as HashSet from "effect/HashSet"
import * as Logger from "effect/Logger"

/** Logs to standard error as logfmt, which log collectors parse. */
export const withLogfmt = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(Effect.console, (console: Console.Console) => {
    const logger = Logger.make<unknown, unknown>((options) => {
      console.unsafe.error(Logger.logfmtLogger.log(options))
    })
    return Effect.locally(effect, FiberRef.currentLoggers, HashSet.make<[Logger.Logger<unknown, unknown>]>(logger))
  })
