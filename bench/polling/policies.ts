import { Effect, Schedule, ScheduleDecision, ScheduleInterval } from "effect"
import type { Generation } from "effect-arta"
import { Polling } from "effect-arta"
import type { Distribution, StageDistributions } from "./durations.js"
import { step } from "./durations.js"

type PollSchedule = Schedule.Schedule<unknown, Generation.GenerationStatus>

export interface Policy {
  readonly name: string
  /** Returns the schedule of one generation. Only the oracle uses the distributions. */
  readonly polling: (stages: StageDistributions) => PollSchedule
}

export const fixed = (seconds: number): Policy => {
  const polling = Polling.fixed(seconds * 1_000)
  return { name: `fixed ${String(seconds)} s`, polling: () => polling }
}

export const exponential: Policy = { name: "exponential", polling: () => Polling.exponential() }

export const adaptive = (lagCost: number): Policy => {
  const polling = Polling.adaptive({ lagCost })
  return { name: `adaptive ${String(lagCost)}`, polling: () => polling }
}

/** Keller's rule for a known distribution: from each poll to the next, `∫ √h` grows by `√(2 / c)`. */
const kellerPause =
  ({ integratedSqrtHazard }: Distribution, lagCost: number) =>
  (age: number): number => {
    const from = Math.round(age / step)
    const target = (integratedSqrtHazard[from] ?? 0) + Math.sqrt(2 / lagCost)
    let to = from + 1
    while ((integratedSqrtHazard[to] ?? Infinity) < target) to++
    return to * step - age
  }

interface StageObservation {
  readonly stage: string
  /** The estimated start of the stage: the midpoint between the last poll before it and its first poll. */
  readonly startedAt: number
  readonly lastPolledAt: number
}

/** The rule of `Polling.adaptive`, with the distributions known instead of learned. */
export const oracle = (lagCost: number): Policy => ({
  name: `oracle ${String(lagCost)}`,
  polling: ({ generating, queue }) => {
    const pauses = {
      Queued: kellerPause(queue ?? generating, lagCost / 4),
      InProgress: kellerPause(generating, lagCost)
    }
    return Schedule.makeWithState<StageObservation | undefined, Generation.GenerationStatus, number>(
      undefined,
      (now, { _tag }, previous) => {
        const observation =
          previous?.stage === _tag
            ? { ...previous, lastPolledAt: now }
            : { stage: _tag, startedAt: ((previous?.lastPolledAt ?? now) + now) / 2, lastPolledAt: now }
        const pause = pauses[_tag === "Queued" ? "Queued" : "InProgress"]
        const millis = Math.ceil(1_000 * pause((now - observation.startedAt) / 1_000))
        return Effect.succeed([
          observation,
          millis,
          ScheduleDecision.continueWith(ScheduleInterval.after(now + millis))
        ])
      }
    )
  }
})
