import * as Effect from "effect/Effect"
import type { Service } from "../../ArtaApi.js"
import type { GenerateRequest } from "../../GenerateRequest.js"
import type { RecordId } from "../../Generation.js"
import type { DurationRecorder } from "../durationRecorder.js"

/** A generation that this program submitted. */
export interface Submission {
  readonly request: GenerateRequest
  readonly recorder: DurationRecorder
}

// Enough for those that are resumed. A generation that is being polled holds its own submission.
const capacity = 1_000

const submissions = new WeakMap<Service, Map<RecordId, Submission>>()

const of = (api: Service): Map<RecordId, Submission> => {
  const known = submissions.get(api) ?? new Map<RecordId, Submission>()
  submissions.set(api, known)
  return known
}

/** Remembers a submission, for the time when its generation is resumed by its id. */
export const remember = (api: Service, recordId: RecordId, submission: Submission): Effect.Effect<void> =>
  Effect.sync(() => {
    const known = of(api).set(recordId, submission)
    const [oldest] = known.keys()
    if (oldest !== undefined && known.size > capacity) known.delete(oldest)
  })

export const recall = (api: Service, recordId: RecordId): Effect.Effect<Submission | undefined> =>
  Effect.sync(() => of(api).get(recordId))
