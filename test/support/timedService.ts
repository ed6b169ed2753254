import { Clock, Effect, Fiber } from "effect"
import { ArtaApi, Generation } from "effect-arta"
import { virtualTime } from "./controlledTime.js"

/** The durations of a generation in milliseconds, and whether it fails. */
export interface Job {
  readonly queue?: number
  readonly drawing: number
  readonly fails?: boolean
}

const images = [{ index: 0, url: "https://images.example/0.png" }] as const

/**
 * An image service whose submissions take as long as their jobs. A request takes half of `roundTrip` to arrive, and its
 * response the other half, in milliseconds. `polls` holds the ages at which each was polled.
 */
export const timedService = (jobs: ReadonlyArray<Job>, roundTrip = 0) => {
  const submittedAt: Array<number> = []
  const polls: Array<Array<number>> = []

  const travel = roundTrip === 0 ? Effect.void : Effect.sleep(roundTrip / 2)
  const onArrival = <A>(respond: (now: number) => A) =>
    Effect.zipRight(travel, Effect.zipLeft(Effect.map(Clock.currentTimeMillis, respond), travel))

  const service = ArtaApi.ArtaApi.of({
    submit: () =>
      onArrival((now) => {
        polls.push([])
        return Generation.RecordId.make(String(submittedAt.push(now) - 1))
      }),
    status: (id) =>
      onArrival((now): Generation.GenerationStatus => {
        const { drawing = 0, fails = false, queue = 0 } = jobs[Number(id)] ?? {}
        const age = now - (submittedAt[Number(id)] ?? 0)
        polls[Number(id)]?.push(age)
        if (age < queue) return { _tag: "Queued" }
        if (age < queue + drawing) return { _tag: "InProgress" }
        return fails ? { _tag: "Failed", status: "MODERATED", detail: "" } : { _tag: "Done", images }
      })
  })

  return { service, polls }
}

/** Runs an effect to its end with its own virtual clock. */
export const inVirtualTime = <A, E>(effect: Effect.Effect<A, E>): Promise<A> => {
  const world = virtualTime("a program")
  const fiber = world.start(effect)
  world.pass(1e10, () => undefined)
  return Effect.runPromise(Fiber.join(fiber))
}
