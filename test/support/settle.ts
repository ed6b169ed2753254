import { Effect } from "effect"
import { setImmediate } from "node:timers/promises"

/** Lets both ends of a connection of this process react. */
export const settle = Effect.repeatN(
  Effect.promise(() => setImmediate()),
  20
)
