import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as MutableRef from "effect/MutableRef"
import { GenerationTimeoutError } from "../../ArtaError.js"
import { monotonicMillis } from "../clock.js"

/** How far a generation has come. */
type Progress = Pick<GenerationTimeoutError, "recordId" | "lastStatus" | "reason" | "request">

/** The time that a generation may take. */
export interface Deadline {
  readonly timeout: Duration.Duration
  /** Milliseconds on the monotonic clock. */
  readonly startedAt: number
  /** The milliseconds that limited effects may still take. Time between two of them does not count. */
  readonly budget: MutableRef.MutableRef<number>
}

export const makeDeadline = (timeout: Duration.Duration): Effect.Effect<Deadline> =>
  Effect.map(monotonicMillis, (startedAt) => ({
    timeout,
    startedAt,
    budget: MutableRef.make(Duration.toMillis(timeout))
  }))

export const elapsed = ({ startedAt }: Deadline): Effect.Effect<Duration.Duration> =>
  Effect.map(monotonicMillis, (now) => Duration.millis(now - startedAt))

export const timeLeft = (deadline: Deadline): Effect.Effect<Duration.Duration> =>
  Effect.map(elapsed(deadline), (elapsed) => Duration.subtract(deadline.timeout, elapsed))

export const expire = (deadline: Deadline, progress: Progress): Effect.Effect<never, GenerationTimeoutError> =>
  Effect.flatMap(elapsed(deadline), (elapsed) => new GenerationTimeoutError({ ...progress, elapsed }))
