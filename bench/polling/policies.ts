import { Effect, Schedule, ScheduleDecision, ScheduleInterval } from "effect"
import type { Generation } from "effect-arta"
import { Polling } from "effect-arta"
import type { Distribution, Times } from "./durations.js"
import { step } from "./durations.js"

type Polled = Schedule.Schedule<unknown, Generation.GenerationStatus>

export interface Policy {
  readonly name: string
  /** The schedule for a generation with such times, of which only the oracle takes notice. */
  readonly polling: (times: Times) => Polled
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

/** Keller's rule for a distribution that is known: from each poll to the next, `∫ √h` grows by `√(2 / c)`. */
const pauseAt =
  ({ integratedSqrtHazard }: Distribution, lagCost: number) =>
  (age: number): number => {
    const from = Math.round(age / step)
    const due = (integratedSqrtHazard[from] ?? 0) + Math.sqrt(2 / lagCost)
    let to = from + 1
    while ((integratedSqrtHazard[to] ?? Infinity) < due) to++
    return to * step - age
  }

interface Stay {
  readonly stage: string
  readonly since: number
  readonly seenAt: number
}

/** Knows what the times are drawn from. */
export const oracle = (lagCost: number): Policy => ({
  name: `oracle ${String(lagCost)}`,
  polling: ({ drawing, queue }) => {
    const pauses = {
      Queued: pauseAt(queue ?? drawing, lagCost / 4),
      InProgress: pauseAt(drawing, lagCost)
    }
    return Schedule.makeWithState<Stay | undefined, Generation.GenerationStatus, number>(
      undefined,
      (now, { _tag }, before) => {
        const stay =
          before?.stage === _tag
            ? { ...before, seenAt: now }
            : { stage: _tag, since: ((before?.seenAt ?? now) + now) / 2, seenAt: now }
        const pause = pauses[_tag === "Queued" ? "Queued" : "InProgress"]
        const millis = Math.ceil(1_000 * pause((now - stay.since) / 1_000))
        return Effect.succeed([stay, millis, ScheduleDecision.continueWith(ScheduleInterval.after(now + millis))])
      }
    )
  }
})
