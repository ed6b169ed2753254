import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import { monotonicMillis } from "./clock.js"

/** A pause between requests, shared by all callers. */
export interface Cooldown<A> {
  /** Why requests pause, and how long from now. Undefined once the pause is over. */
  readonly current: Effect.Effect<{ readonly reason: A; readonly left: Duration.Duration } | undefined>
  /** Starts a pause from now, unless the current one is longer. */
  readonly start: (reason: A, length: Duration.DurationInput) => Effect.Effect<void>
  readonly end: Effect.Effect<void>
}

export const makeCooldown = <A>(): Effect.Effect<Cooldown<A>> =>
  Effect.map(Ref.make<{ readonly reason: A; readonly until: number } | undefined>(undefined), (last) => ({
    current: Effect.flatMap(last, (last) =>
      last === undefined
        ? Effect.succeed(undefined)
        : Effect.map(monotonicMillis, (now) =>
            now < last.until ? { reason: last.reason, left: Duration.millis(last.until - now) } : undefined
          )
    ),
    start: (reason, length) =>
      Effect.flatMap(monotonicMillis, (now) => {
        const until = now + Duration.toMillis(length)
        return Ref.update(last, (last) => (last !== undefined && last.until > until ? last : { reason, until }))
      }),
    end: Ref.set(last, undefined)
  }))
