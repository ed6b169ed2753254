import type { PlatformError } from "@effect/platform/Error"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { ArtaError, Generation } from "effect-arta"
import type { SaveResult } from "./saveImages.js"
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
    (generation: Generation.Generation) => Effect.Effect<SaveResult, PlatformError | SetupError, R>
  >
}

/** Runs or resumes a generation, and reports its events. */
type RunGeneration<E, R> = (onEvent: Progress["report"]) => Effect.Effect<Generation.Generation, E, R>

/** Runs a generation, then saves its images. */
const runAndSave = <E, R, R2>(run: RunGeneration<E, R>, { save }: Options<R2>, { conclude, report }: Progress) =>
  Effect.gen(function* () {
    const generation = yield* run(report)
    if (Option.isNone(save)) {
      yield* conclude("generated")
      return { generation, paths: [], failures: [] }
    }
    const { failures, paths } = yield* save.value(generation)
    yield* conclude(failures.length === 0 && generation.missing === 0 ? "saved" : "not all saved")
    return { generation, paths, failures }
  }).pipe(Effect.tapErrorCause(() => conclude("stopped")))

/** Prints the paths of the images, or their URLs if none are saved. With `--json`, an event has printed the URLs. */
const printResults = (
  { images, recordId }: Generation.Generation,
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
  run: RunGeneration<E, R>,
  options: Options<R2>
): Effect.Effect<void, E | PlatformError | SetupError | MissingImages | ArtaError.DownloadError, R | R2> =>
  Effect.gen(function* () {
    const { failures, generation, paths } = yield* Effect.scoped(
      Effect.flatMap(progress(options), (shown) => runAndSave(run, options, shown))
    )
    yield* printResults(generation, paths, options)
    if (options.open) yield* Effect.forEach(paths, openFile, { discard: true })
    yield* failWithFirst(failures)
    yield* failIfMissing(generation)
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
