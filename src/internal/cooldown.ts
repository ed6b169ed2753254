import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as MutableRef from "effect/MutableRef"
import { unsafeMonotonicMillis } from "./clock.js"

interface Pause<A> {
  readonly reason: A
  readonly left: Duration.Duration
}

/** A pause between requests, shared by all callers. */
export interface Cooldown<A> {
  /** Why requests pause, and how long from now. Undefined once the pause is over. */
  readonly current: Effect.Effect<Pause<A> | undefined>
  readonly unsafeCurrent: (clock: Clock.Clock) => Pause<A> | undefined
  /** Starts a pause from now, in place of the current one. */
  readonly start: (reason: A, length: Duration.DurationInput) => Effect.Effect<void>
  readonly end: Effect.Effect<void>
}

export const makeCooldown = <A>(): Effect.Effect<Cooldown<A>> =>
  Effect.sync(() => {
    const last = MutableRef.make<{ readonly reason: A; readonly until: number } | undefined>(undefined)

    const unsafeCurrent = (clock: Clock.Clock) => {
      if (last.current === undefined) return undefined
      const { reason, until } = last.current
      const left = until - unsafeMonotonicMillis(clock)
      return left > 0 ? { reason, left: Duration.millis(left) } : undefined
    }

    return {
      unsafeCurrent,
      current: Effect.map(Effect.clock, unsafeCurrent),
      start: (reason, length) =>
        Effect.map(Effect.clock, (clock) => {
          last.current = { reason, until: unsafeMonotonicMillis(clock) + Duration.toMillis(length) }
        }),
      end: Effect.sync(() => {
        last.current = undefined
      })
    }
  })
