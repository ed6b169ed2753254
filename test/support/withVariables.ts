import { Effect } from "effect"

/** Runs an effect with these environment variables. Undefined ones are not set meanwhile. */
export const withVariables = <A, E, R>(
  variables: Readonly<Record<string, string | undefined>>,
  effect: Effect.Effect<A, E, R>
) =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const before = process.env
      const changed = { ...before, ...variables }
      process.env = Object.fromEntries(Object.entries(changed).filter(([, value]) => value !== undefined))
      return before
    }),
    () => effect,
    (before) =>
      Effect.sync(() => {
        process.env = before
      })
  )
