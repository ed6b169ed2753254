import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import { ArtaError } from "effect-arta"
import { explain, watchCommand } from "../../shared/errors.js"
import type { LastKnown } from "../../shared/submissionJournal.js"
import type { Job } from "./job.js"
import * as Jobs from "./job.js"

/** What to say of a generation that a stop leaves unfinished. */
const unfinishedText = ({ recordId, request }: LastKnown, directory: string): ReadonlyArray<string> => {
  if (recordId === undefined) {
    return request === undefined ? [] : [explain(new ArtaError.SubmissionUnknownError({ request }))]
  }
  const watch = watchCommand(recordId, ["-o", directory])
  return [`The service has accepted the generation ${recordId}. To get its images: ${watch}`]
}

/** Says how to get the images of the generations that a stop leaves unfinished. */
export const printUnfinished = (jobs: ReadonlyArray<Job>, directory: string): Effect.Effect<void> =>
  Effect.forEach(
    jobs,
    (job) =>
      Effect.gen(function* () {
        const outcome = yield* Jobs.ended(job)
        if (Option.exists(outcome, ({ _tag }) => _tag !== "Stopped")) return
        const texts = unfinishedText(yield* Ref.get(job.lastKnown), directory)
        yield* Effect.forEach(texts, (text) => Console.error(text), { discard: true })
      }),
    { discard: true }
  )
