import { Effect, Fiber, Option, TestClock } from "effect"
import { eventually } from "../virtualTime.js"

const step = TestClock.adjust("500 millis")

/** Joins a fiber while virtual time passes. Each half second leaves real time for the database. */
export const finish = <A, E>(fiber: Fiber.RuntimeFiber<A, E>) =>
  Effect.zipRight(
    eventually(Effect.zipRight(step, Effect.map(Fiber.poll(fiber), Option.isSome)), 3_000),
    Fiber.join(fiber)
  )

/** Runs an effect while virtual time passes. */
export const inTime = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.flatMap(Effect.fork(effect), finish)

/** Lets virtual time pass, with real time for the database in between. */
export const passSeconds = (seconds: number) => {
  let steps = 0
  return eventually(
    Effect.map(step, () => {
      steps += 1
      return steps >= seconds * 2
    })
  )
}
