import type { GenerationStatus } from "../../Generation.js"
import type { Ending } from "./hazardModel.js"

export type Stage = "Queued" | "InProgress"

/** What the polls show of one stage of a generation. Instants are seconds on the monotonic clock. */
export interface StageObservation {
  readonly stage: Stage
  /** When the stage began: halfway between the polls before and after. */
  readonly since: number
  /** Whether the polls cover the whole stage. A resumed generation may have entered its stage at any earlier time. */
  readonly isWhole: boolean
  /** When a poll last found the generation in this stage. */
  readonly seenAt: number
}

const observation = (stage: Stage, isWhole: boolean, since: number, seenAt = since): StageObservation => ({
  stage,
  since,
  isWhole,
  seenAt
})

/** The observation of a generation that was just accepted. */
export const submitted = (since: number): StageObservation => observation("Queued", true, since)

/** The first observation of a resumed generation. */
export const resumed = (stage: Stage, since: number): StageObservation => observation(stage, false, since)

/** The observation after one more poll. */
export const seen = (before: StageObservation, stage: Stage, instant: number): StageObservation =>
  stage === before.stage
    ? { ...before, seenAt: instant }
    : // A generation that returns to the queue may wait less than a new one, so do not learn from that stage.
      observation(stage, stage === "InProgress", (before.seenAt + instant) / 2, instant)

/** When the stage ended, if `status` is its regular end. A failure says nothing about how long images take. */
export const ending = (
  { isWhole, seenAt, since, stage }: StageObservation,
  status: GenerationStatus["_tag"],
  instant: number
): Ending | undefined => {
  const isRegularEnd = status === "Done" || (stage === "Queued" && status === "InProgress")
  return isWhole && isRegularEnd ? { from: seenAt - since, to: instant - since } : undefined
}
