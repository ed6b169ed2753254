import type { PlatformError } from "@effect/platform/Error"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Stream from "effect/Stream"
import type { ArtaError, Generation } from "effect-arta"
import type { SaveResult } from "./saveImages.js"
import { awaitCompleted } from "./saveImages.js"
import type { Failure, MissingImages, SetupError } from "./errors.js"
import { explain, failedLine, failIfMissing } from "./errors.js"
import { printLine } from "./jsonOutput.js"
import type { Progress } from "./progress.js"
import { progress } from "./progress.js"

export interface Options<R> {
  readonly json: boolean
  readonly quiet: boolean
  /** Opens the saved images in the default viewer. */
  readonly open: boolean
  /** Saves the images. None: the result is their URLs. */
  readonly save: Option.Option<
    (completed: Generation.Completed) => Effect.Effect<SaveResult, PlatformError | SetupError, R>
  >
}

/** Reports the events on the way, then saves the images. */
const reportEvents = <E, R, R2>(
  events: Stream.Stream<Generation.GenerationEvent, E, R>,
  { save }: Options<R2>,
  { conclude, report }: Progress
) =>
  Effect.gen(function* () {
    const completed = yield* awaitCompleted(events, report)
    if (Option.isNone(save)) {
      yield* conclude("generated")
      return { completed, paths: [], failures: [] }
    }
    const { failures, paths } = yield* save.value(completed)
    yield* conclude(failures.length === 0 && completed.missing === 0 ? "saved" : "not all saved")
    return { completed, paths, failures }
  }).pipe(Effect.tapErrorCause(() => conclude("stopped")))

/** Prints the paths of the images, or their URLs if none are saved. `Completed` has the URLs for `--json`. */
const printResults = (
  { images, recordId }: Generation.Completed,
  paths: ReadonlyArray<string>,
  { json, save }: Pick<Options<unknown>, "json" | "save">
): Effect.Effect<void> => {
  if (json) return Effect.forEach(paths, (path) => printLine({ _tag: "Saved", recordId, path }), { discard: true })
  const results = Option.isSome(save) ? paths : images.map(({ url }) => url)
  return Effect.forEach(results, (result) => Console.log(result), { discard: true })
}

/** Opens a file in the default viewer. The image is saved, so a failure is only reported. */
const openFile = (path: string): Effect.Effect<void> =>
  Effect.tryPromise(() => import("open").then((module) => module.default(path))).pipe(
    Effect.catchAll(() => Console.error(`No viewer could be started for ${path}. Open the file yourself.`)),
    Effect.asVoid
  )

/** Fails with the first failure and prints the others. */
const failWithFirst = ([first, ...others]: ReadonlyArray<ArtaError.DownloadError>) =>
  Effect.zipRight(
    Effect.forEach(others, (failure) => Console.error(explain(failure))),
    first === undefined ? Effect.void : Effect.fail(first)
  )

/** Shows the progress of a generation, saves its images, and prints their paths or URLs. */
export const runAndReport = <E, R, R2>(
  events: Stream.Stream<Generation.GenerationEvent, E, R>,
  options: Options<R2>
): Effect.Effect<void, E | PlatformError | SetupError | MissingImages | ArtaError.DownloadError, R | R2> =>
  Effect.gen(function* () {
    const { completed, failures, paths } = yield* Effect.scoped(
      Effect.flatMap(progress(options), (shown) => reportEvents(events, options, shown))
    )
    yield* printResults(completed, paths, options)
    if (options.open) yield* Effect.forEach(paths, openFile, { discard: true })
    yield* failWithFirst(failures)
    yield* failIfMissing(completed)
  })

/** With `--json`, prints a failure as the last line. A batch has printed the failures of its rows already. */
export const printFailureAsJson =
  ({ json }: { readonly json: boolean }) =>
  <A, E extends Failure, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    json
      ? Effect.tapError(effect, (failure) =>
          failure._tag === "PartlyFailed" ? Effect.void : printLine(failedLine(failure))
        )
      : effect
