import type { GenerationStatus } from "../../Generation.js"
import type { Ending } from "./hazardModel.js"

export type Stage = "Queued" | "InProgress"

/** A generation's stay in one stage, as its polls tell it. Instants are seconds on the monotonic clock. */
export interface StageObservation {
  readonly stage: Stage
  /** When it began: halfway between the polls before and after. */
  readonly since: number
  /** Whether that is known. A generation that is picked up may have been there for any time. */
  readonly isWhole: boolean
  /** The last poll that found it there. */
  readonly seenAt: number
}

/** What a submission tells that was accepted just now. */
export const submitted = (since: number): StageObservation => ({ stage: "Queued", since, isWhole: true, seenAt: since })

/** What the first poll tells of a generation that is picked up. */
export const pickedUp = (stage: Stage, since: number): StageObservation => ({
  ...submitted(since),
  stage,
  isWhole: false
})

/** What one more poll tells. */
export const seen = (before: StageObservation, stage: Stage, instant: number): StageObservation =>
  stage === before.stage
    ? { ...before, seenAt: instant }
    : // What goes back into the queue need not wait as long as what comes new.
      { stage, since: (before.seenAt + instant) / 2, isWhole: stage === "InProgress", seenAt: instant }

/** How long the stay took if this status, seen now, is its regular end. A failure tells nothing about images. */
export const ending = (
  { isWhole, seenAt, since, stage }: StageObservation,
  status: GenerationStatus["_tag"],
  instant: number
): Ending | undefined => {
  const isRegular = status === "Done" || (stage === "Queued" && status === "InProgress")
  return isWhole && isRegular ? { from: seenAt - since, to: instant - since } : undefined
}
