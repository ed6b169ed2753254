import { Clock, Effect, Fiber } from "effect"
import { ArtaApi, Generation } from "effect-arta"
import { virtualTime } from "./controlledTime.js"

/** How long a generation takes, in milliseconds, and how it ends. */
export interface Job {
  readonly queue?: number
  readonly drawing: number
  readonly fails?: boolean
}

const images = [{ index: 0, url: "https://images.example/0.png" }] as const

/** An image service on which each submission takes as long as its job says, with the ages at which it was polled. */
export const timedService = (jobs: ReadonlyArray<Job>) => {
  const submittedAt: Array<number> = []
  const polls: Array<Array<number>> = []

  const service = ArtaApi.ArtaApi.of({
    submit: () =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        polls.push([])
        return Generation.RecordId.make(String(submittedAt.push(now) - 1))
      }),
    status: (id) =>
      Effect.map(Clock.currentTimeMillis, (now): Generation.GenerationStatus => {
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

/** Runs an effect in a virtual time of its own until nothing in it waits any more. */
export const inVirtualTime = <A, E>(effect: Effect.Effect<A, E>): Promise<A> => {
  const world = virtualTime("a program")
  const fiber = world.start(effect)
  world.pass(1e10, () => undefined)
  return Effect.runPromise(Fiber.join(fiber))
}
