import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Stream from "effect/Stream"
import type { DownloadFailure } from "./downloadFailure.js"
import { failure, timedOut } from "./downloadFailure.js"
import { stopwatch } from "./stopwatch.js"

export const idleTimeout = Duration.seconds(30)

const idle = failure("retry", `the server sent nothing for ${Duration.format(idleTimeout)}`)

// How long to wait for other bytes after the end of an image.
const trailerTimeout = Duration.seconds(5)

/**
 * Fails if the stream sends nothing for 30 seconds, or for 5 seconds after a complete image, or if its consumer has
 * waited for `timeout` in total, of which `spent` has passed. The time that the consumer takes between two pulls does
 * not count.
 */
export const limitWaiting = <A>(
  self: Stream.Stream<A, DownloadFailure>,
  timeout: Duration.Duration,
  spent: Duration.Duration,
  isComplete: Effect.Effect<boolean>
): Stream.Stream<A, DownloadFailure> =>
  Effect.gen(function* () {
    const pull = yield* Stream.toPull(self)
    const left = yield* Ref.make(Duration.subtract(timeout, spent))
    const limitedPull = Effect.gen(function* () {
      const isDone = yield* isComplete
      const longest = isDone ? trailerTimeout : idleTimeout
      const isLast = Duration.lessThan(yield* left, longest)
      const elapsed = yield* stopwatch
      const chunk = yield* Effect.timeoutFail(pull, {
        duration: isLast ? yield* left : longest,
        onTimeout: () => Option.some(isLast && !isDone ? timedOut(timeout) : idle)
      })
      const waited = yield* elapsed
      yield* Ref.update(left, (before) => Duration.subtract(before, waited))
      return chunk
    })
    return Stream.repeatEffectChunkOption(limitedPull)
  }).pipe(Stream.unwrapScoped)
