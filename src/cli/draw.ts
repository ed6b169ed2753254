import type { PlatformError } from "@effect/platform/Error"
import { isPlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Path from "@effect/platform/Path"
import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { ArtaError, GenerateRequest, Generation } from "effect-arta"
import { ArtaApi, ImageFile } from "effect-arta"
import type { Journal } from "./journal.js"

/** An interruption waits a while for the answer to a submission, because the record id would be lost with it. */
const finishing = <A, E, R>(submission: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(Effect.forkDaemon(restore(submission)), (fiber) =>
      restore(Fiber.join(fiber)).pipe(
        Effect.onInterrupt(() =>
          Fiber.await(fiber).pipe(
            // Finalizers are not interruptible, and then the time limit would wait as well.
            Effect.interruptible,
            Effect.timeout("10 seconds"),
            Effect.ignore,
            Effect.zipRight(Fiber.interrupt(fiber))
          )
        )
      )
    )
  )

/** Is told of each submission, so that none is lost. */
export interface Recorder {
  /** Before a request leaves. */
  readonly begin: (request: GenerateRequest.GenerateRequest) => Effect.Effect<void, PlatformError>
  readonly accepted: (recordId: Generation.RecordId) => Effect.Effect<void, PlatformError>
  /** Nothing was accepted: sending it again is safe. */
  readonly refused: Effect.Effect<void, PlatformError>
}

const watchedBy = (recorder: Recorder, api: ArtaApi.Service): ArtaApi.Service => ({
  ...api,
  submit: (request) =>
    Effect.orDie(recorder.begin(request)).pipe(
      Effect.zipRight(api.submit(request)),
      Effect.tap((recordId) => Effect.orDie(recorder.accepted(recordId))),
      Effect.tapError((error) =>
        error._tag === "SubmissionUnknownError" ? Effect.void : Effect.orDie(recorder.refused)
      ),
      finishing
    )
})

/** Lets a recorder know of every submission before anything else happens with it. Where it fails, nothing is sent. */
export const recordedBy =
  (recorder: Recorder) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | PlatformError, R | ArtaApi.ArtaApi> =>
    Effect.flatMap(ArtaApi.ArtaApi, (api) =>
      Effect.provideService(effect, ArtaApi.ArtaApi, watchedBy(recorder, api))
    ).pipe(
      // The interface of the service has no room for a failure of the recorder.
      Effect.catchSomeDefect((defect) => (isPlatformError(defect) ? Option.some(Effect.fail(defect)) : Option.none()))
    )

/** Writes each submission of one drawing to a journal. */
export const journalRecorder = (journal: Journal, key: string): Recorder => ({
  begin: (request) => journal.begin(key, request),
  accepted: (recordId) => journal.note({ _tag: "Submitted", key, recordId }),
  refused: journal.note({ _tag: "NotAccepted", key })
})

/** The last event of a generation, each one reported on the way. */
export const completed = <E, R>(
  events: Stream.Stream<Generation.GenerationEvent, E, R>,
  report: (event: Generation.GenerationEvent) => Effect.Effect<void>
): Effect.Effect<Generation.Completed, E, R> =>
  events.pipe(
    Stream.tap(report),
    Stream.filter((event) => event._tag === "Completed"),
    Stream.runHead,
    Effect.flatMap(Effect.orDie)
  )

type SaveServices = ArtaApi.ArtaApi | HttpClient.HttpClient | FileSystem.FileSystem | Path.Path

export interface Kept {
  readonly paths: ReadonlyArray<string>
  readonly failures: ReadonlyArray<ArtaError.DownloadError>
}

/** Saves the pictures that are not in the folder yet. `save` writes a file whole or not at all, so what is there is whole. */
export const saveMissing = (
  { images, recordId }: Generation.Completed,
  { directory, name }: { readonly directory: string; readonly name: string }
): Effect.Effect<Kept, PlatformError, SaveServices> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    yield* fs.makeDirectory(directory, { recursive: true })
    const files = yield* fs.readDirectory(directory)
    const [missing, present] = Array.partitionMap(images, (image) => {
      const file = files.find((candidate) => candidate.startsWith(`${name}-${String(image.index)}.`))
      return file === undefined ? Either.left(image) : Either.right(path.join(directory, file))
    })
    if (!Array.isNonEmptyArray(missing)) return { paths: present, failures: [] }
    const saved = yield* ImageFile.save({ recordId, images: missing }, { directory, name })
    const [failures, paths] = Array.separate(saved.map(({ result }) => result))
    return { paths: [...present, ...paths], failures }
  })

/** Saves the pictures of a drawing under the name that its journal has for them, and notes it once all are there. */
export const saveDrawing =
  (journal: Journal, key: string, directory: string) =>
  (done: Generation.Completed): Effect.Effect<Kept, PlatformError, SaveServices> =>
    Effect.gen(function* () {
      const path = yield* Path.Path
      const { name } = yield* Effect.flatMap(journal.drawings, (drawings) =>
        Effect.orDie(Option.fromNullable(drawings.get(key)))
      )
      const kept = yield* saveMissing(done, { directory, name })
      if (kept.failures.length === 0) {
        yield* journal.note({ _tag: "Saved", key, files: kept.paths.map((file) => path.basename(file)) })
      }
      return kept
    })
