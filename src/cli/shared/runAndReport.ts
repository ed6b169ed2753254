import type { PlatformError } from "@effect/platform/Error"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Stream from "effect/Stream"
import type { ArtaError, Generation } from "effect-arta"
import type { SaveResult } from "./saveImages.js"
import { awaitCompleted } from "./saveImages.js"
import type { Failure, SetupError } from "./errors.js"
import { explain, failedLine } from "./errors.js"
import { printLine } from "./jsonOutput.js"
import type { Progress } from "./progress.js"
import { progress } from "./progress.js"

export interface Options<R> {
  readonly json: boolean
  /** What becomes of the images. None: their addresses are the result. */
  readonly save: Option.Option<
    (completed: Generation.Completed) => Effect.Effect<SaveResult, PlatformError | SetupError, R>
  >
}

const reportEvents = <E, R, R2>(
  events: Stream.Stream<Generation.GenerationEvent, E, R>,
  { save }: Options<R2>,
  { conclude, report }: Progress
) =>
  Effect.gen(function* () {
    const done = yield* awaitCompleted(events, report)
    if (Option.isNone(save)) {
      yield* conclude("generated")
      return { done, results: done.images.map(({ url }) => url), failures: [] }
    }
    const { failures, paths } = yield* save.value(done)
    yield* conclude(failures.length === 0 ? "saved" : "not all saved")
    return { done, results: paths, failures }
  }).pipe(Effect.tapErrorCause(() => conclude("stopped")))

/** Shows a generation on the way, then prints the paths of its images, or their addresses where none are saved. */
export const runAndReport = <E, R, R2>(
  events: Stream.Stream<Generation.GenerationEvent, E, R>,
  options: Options<R2>
): Effect.Effect<void, E | PlatformError | SetupError | ArtaError.DownloadError, R | R2> =>
  Effect.gen(function* () {
    const { done, failures, results } = yield* Effect.scoped(
      Effect.flatMap(progress(options), (shown) => reportEvents(events, options, shown))
    )
    const [first, ...more] = failures
    const isSaved = Option.isSome(options.save)
    for (const path of results) {
      if (!options.json) yield* Console.log(path)
      else if (isSaved) yield* printLine({ _tag: "Saved", recordId: done.recordId, path })
    }
    yield* Effect.forEach(more, (failure) => Console.error(explain(failure)))
    if (first !== undefined) yield* first
  })

/** With `--json`, a failure is the last line of the output. The rows of a batch have said theirs already. */
export const printFailureAsJson =
  ({ json }: { readonly json: boolean }) =>
  <A, E extends Failure, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    json
      ? Effect.tapError(effect, (failure) =>
          failure._tag === "PartlyFailed" ? Effect.void : printLine(failedLine(failure))
        )
      : effect
