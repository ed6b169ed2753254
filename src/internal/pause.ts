import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import { monotonicMillis } from "./clock.js"

/** A time during which a service wants to be left alone, by everybody who shares the pause. */
export interface Pause {
  readonly extend: (duration: Duration.Duration | undefined) => Effect.Effect<void>
  /** Runs an effect once the pause is over. */
  readonly respect: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

export const makePause: Effect.Effect<Pause> = Effect.gen(function* () {
  const end = yield* Ref.make(Number.NEGATIVE_INFINITY)

  const wait: Effect.Effect<void> = Effect.gen(function* () {
    const left = (yield* Ref.get(end)) - (yield* monotonicMillis)
    if (left <= 0) return
    yield* Effect.sleep(Duration.millis(left))
    // It may have been extended meanwhile.
    yield* wait
  })

  return {
    extend: (duration) =>
      duration === undefined
        ? Effect.void
        : Effect.flatMap(monotonicMillis, (now) =>
            Ref.update(end, (before) => Math.max(before, now + Duration.toMillis(duration)))
          ),
    respect: (effect) => Effect.zipRight(wait, effect)
  }
})
