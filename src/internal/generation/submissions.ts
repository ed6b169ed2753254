import * as Effect from "effect/Effect"
import type { Service } from "../../ArtaApi.js"
import type { GenerateRequest } from "../../GenerateRequest.js"
import type { RecordId } from "../../Generation.js"
import type { DurationRecorder } from "../durationRecorder.js"
import { weaklyKeyed } from "../weaklyKeyed.js"

/** A generation that this program submitted. */
export interface Submission {
  readonly request: GenerateRequest
  readonly recorder: DurationRecorder
}

// Enough for those that are resumed. A generation that is being polled holds its own submission.
const capacity = 1_000

const submissions = weaklyKeyed(() => new Map<RecordId, Submission>())

/** Remembers a submission, for the time when its generation is resumed by its id. */
export const remember = (api: Service, recordId: RecordId, submission: Submission): Effect.Effect<void> =>
  Effect.sync(() => {
    const known = submissions(api).set(recordId, submission)
    const [oldest] = known.keys()
    if (oldest !== undefined && known.size > capacity) known.delete(oldest)
  })

export const recall = (api: Service, recordId: RecordId): Effect.Effect<Submission | undefined> =>
  Effect.sync(() => submissions(api).get(recordId))
