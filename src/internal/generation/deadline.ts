import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import type { InvalidRequestError } from "../../ArtaError.js"
import { GenerationTimeoutError } from "../../ArtaError.js"
import { monotonicMillis } from "../clock.js"
import { limitTime } from "../timeLimit.js"
import { decodeTimeout } from "../timeout.js"

/** How far a generation has come. */
type Progress = Pick<GenerationTimeoutError, "recordId" | "lastStatus" | "reason" | "request">

/** The time that a generation may take. */
export interface Deadline {
  readonly timeout: Duration.Duration
  /** Milliseconds on the monotonic clock. */
  readonly startedAt: number
  /** The milliseconds that limited effects may still take. Time between two of them does not count. */
  readonly budget: Ref.Ref<number>
}

export const makeDeadline = (input: Duration.DurationInput): Effect.Effect<Deadline, InvalidRequestError> =>
  Effect.gen(function* () {
    const timeout = yield* decodeTimeout(input)
    return { timeout, startedAt: yield* monotonicMillis, budget: yield* Ref.make(Duration.toMillis(timeout)) }
  })

export const elapsed = ({ startedAt }: Deadline): Effect.Effect<Duration.Duration> =>
  Effect.map(monotonicMillis, (now) => Duration.millis(now - startedAt))

export const timeLeft = (deadline: Deadline): Effect.Effect<Duration.Duration> =>
  Effect.map(elapsed(deadline), (elapsed) => Duration.subtract(deadline.timeout, elapsed))

export const expire = (deadline: Deadline, progress: Progress): Effect.Effect<never, GenerationTimeoutError> =>
  Effect.flatMap(elapsed(deadline), (elapsed) => new GenerationTimeoutError({ ...progress, elapsed }))

/** Interrupts an effect when the remaining time is used up, and does not start it if none is left. */
export const limit = <A, E, E2, R>(
  { budget }: Deadline,
  effect: Effect.Effect<A, E, R>,
  onTimeout: () => Effect.Effect<never, E2>
): Effect.Effect<A, E | E2, R> =>
  Effect.flatMap(monotonicMillis, (since) =>
    Effect.flatMap(budget, (left) => {
      if (left <= 0) return onTimeout()
      return Effect.flatMap(limitTime(effect, Duration.millis(left)), (result) =>
        Option.isNone(result)
          ? onTimeout()
          : Effect.flatMap(monotonicMillis, (now) => Effect.as(Ref.set(budget, left - (now - since)), result.value))
      )
    })
  )
