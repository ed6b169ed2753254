import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as MutableRef from "effect/MutableRef"
import { RateLimitedError } from "../../ArtaError.js"
import { monotonicMillis, unsafeMonotonicMillis } from "../clock.js"
import { PollContext } from "../durationRecorder.js"
import { limitTime } from "../timeLimit.js"
import { accepted, forgetOld, isUnlimited, nextAt, noLimit, refused } from "./learnedRate.js"

type Operation = "submit" | "status"

/** A request that may be sent now. */
interface Permit {
  readonly sentAt: number
  readonly epoch: number
  /** Whether it follows the request before as soon as the rate allows. */
  readonly isPaced: boolean
}

/** Limits the requests with one token to the rate that the service accepts. */
export interface RateLimiter {
  /**
   * Waits until a request may be sent, and sends it. Submissions precede polls, and polls of older generations precede
   * those of younger ones. Fails a submission if the service asked for silence, so that its caller may decide whether to
   * wait.
   */
  readonly withPermit: <A, E>(
    operation: Operation,
    send: (permit: Permit) => Effect.Effect<A, E>
  ) => Effect.Effect<A, E | RateLimitedError>
  /** Not an effect: most requests are accepted, and each step of the runtime counts. */
  readonly unsafeAccepted: (permit: Permit) => void
  readonly refused: (permit: Permit, retryAfter: Duration.Duration | undefined) => Effect.Effect<void>
}

interface Waiter {
  readonly operation: Operation
  /** The waiter with the earliest time is next. */
  readonly due: number
  /** Open if the waiter has to look at the limiter again. */
  readonly changed: Effect.Latch
}

// Milliseconds. A poll that has waited for so long precedes new submissions: its generation must not time out.
const longestPollDelay = 60_000
// A generation that is much older than the others may never end, so its age does not count beyond this.
const longestAge = 30_000
// A submission that already waits keeps its place during a Retry-After of this length.
const shortSilence = 5_000

// The requests of the last minute tell the rate if the service refuses one.
const countedTime = 60_000

/** Creates a limiter that lets every request pass at once until the service refuses one. */
export const makeRateLimiter: Effect.Effect<RateLimiter> = Effect.map(monotonicMillis, (createdAt) => {
  let rate = noLimit(createdAt, 0)
  let unlimited = { accepted: 0, since: createdAt }
  let lastSentAt = createdAt
  let silentUntil = createdAt
  const waiters: Array<Waiter> = []

  const pass = (now: number): Permit => {
    const isPaced = now - lastSentAt <= rate.interval * 1.1
    lastSentAt = now
    return { sentAt: now, epoch: rate.epoch, isPaced }
  }

  const join = (operation: Operation, now: number) =>
    Effect.map(PollContext, ({ submittedAt = 0 }) => {
      const due = operation === "submit" ? now : Math.max(submittedAt * 1_000, now - longestAge) + longestPollDelay
      const waiter = { operation, due, changed: Effect.unsafeMakeLatch() }
      const next = waiters.findIndex((other) => other.due > due)
      waiters.splice(next === -1 ? waiters.length : next, 0, waiter)
      return waiter
    })

  const leave = (waiter: Waiter) =>
    Effect.sync(() => {
      waiters.splice(waiters.indexOf(waiter), 1)
      waiters[0]?.changed.unsafeOpen()
    })

  const awaitTurn = (waiter: Waiter, tolerated: number): Effect.Effect<Permit, RateLimitedError> =>
    Effect.flatMap(monotonicMillis, (now) => {
      waiter.changed.unsafeClose()
      const silence = silentUntil - now
      if (waiter.operation === "submit" && silence > tolerated) {
        return new RateLimitedError({ operation: "submit", retryAfter: Duration.millis(silence) })
      }
      rate = forgetOld(rate, now)
      const wait = Math.max(silence, nextAt(rate, lastSentAt) - now)
      const isNext = waiters[0] === waiter
      if (isNext && wait <= 0) return Effect.succeed(pass(now))
      const change = waiter.changed.await
      // In an uninterruptible region, `Effect.timeoutOption` would wait for the change without end.
      const elapsed = limitTime(Effect.interruptible(change), MutableRef.make(wait), Effect.void)
      return Effect.flatMap(isNext ? elapsed : change, () => awaitTurn(waiter, shortSilence))
    })

  return {
    withPermit: (operation, send) =>
      Effect.clockWith((clock) => {
        const now = unsafeMonotonicMillis(clock)
        if (isUnlimited(rate)) return send(pass(now))
        const turn = Effect.acquireUseRelease(join(operation, now), (waiter) => awaitTurn(waiter, 0), leave)
        return Effect.flatMap(turn, send)
      }),

    unsafeAccepted: ({ epoch, isPaced, sentAt }) => {
      if (isUnlimited(rate)) {
        if (sentAt - unlimited.since > countedTime) unlimited = { accepted: 0, since: sentAt }
        unlimited.accepted += 1
      } else if (epoch === rate.epoch) {
        rate = accepted(rate, sentAt, isPaced)
        waiters[0]?.changed.unsafeOpen()
      }
    },

    refused: ({ epoch, sentAt }, retryAfter) =>
      Effect.map(monotonicMillis, (now) => {
        if (epoch === rate.epoch) rate = refused(isUnlimited(rate) ? { ...rate, ...unlimited } : rate, sentAt, now)
        if (retryAfter === undefined) return
        silentUntil = Math.max(silentUntil, now + Duration.toMillis(retryAfter))
        for (const { changed } of waiters) changed.unsafeOpen()
      })
  }
})
