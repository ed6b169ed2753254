import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Path from "@effect/platform/Path"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Encoding from "effect/Encoding"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { temporaryFile } from "../../../AtomicFile.js"
import * as ImageFile from "../../../ImageFile.js"
import type { Store } from "./store.js"
import { extensions, numbered, StoreFailure } from "./store.js"

type Platform = FileSystem.FileSystem | Path.Path | HttpClient.HttpClient

const hasReason =
  (reason: "AlreadyExists" | "NotFound") =>
  (error: PlatformError): boolean =>
    error._tag === "SystemError" && error.reason === reason

const isAlreadyExists = hasReason("AlreadyExists")
const isNotFound = hasReason("NotFound")

const areEqual = (bytes: Uint8Array, others: Uint8Array): boolean =>
  bytes.length === others.length && bytes.every((byte, index) => byte === others[index])

/** Whether bytes are a complete image: whether a `data:` URL of them downloads. */
const isComplete = (bytes: Uint8Array): Effect.Effect<boolean, never, HttpClient.HttpClient> =>
  ImageFile.bytes({ index: 0, url: `data:;base64,${Encoding.encodeBase64(bytes)}` }).pipe(
    Stream.runDrain,
    Effect.isSuccess
  )

const readIfExists = (file: string) =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => Effect.asSome(fs.readFile(file))).pipe(
    Effect.catchIf(isNotFound, () => Effect.succeedNone)
  )

/** Writes a temporary file and moves it to its name. A row is recorded as saved next, so it must be on the disk. */
const write = <R>(
  file: string,
  bytes: Uint8Array,
  move: (temporary: string, file: string) => Effect.Effect<void, PlatformError, R>
) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const directory = path.dirname(file)
    yield* fs.makeDirectory(directory, { recursive: true })
    const temporary = yield* temporaryFile(directory)
    const writeSynced = Effect.gen(function* () {
      const handle = yield* fs.open(temporary, { flag: "wx" })
      yield* handle.writeAll(bytes)
      yield* handle.sync
    })
    yield* Effect.scoped(writeSynced)
    yield* move(temporary, file)
    return file
  }).pipe(Effect.scoped)

const replace = (temporary: string, file: string) =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => fs.rename(temporary, file))

/** Fails if the name is taken, unlike a rename. On file systems without links, reserves the name instead. */
const claim = (temporary: string, file: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const reserveAndRename = Effect.zipRight(
      fs.writeFile(file, new Uint8Array(), { flag: "wx" }),
      Effect.onError(fs.rename(temporary, file), () => Effect.ignore(fs.remove(file)))
    ).pipe(Effect.uninterruptible)
    yield* Effect.catchIf(
      fs.link(temporary, file),
      (error) => !isAlreadyExists(error),
      () => reserveAndRename
    )
  })

/** Saves an image under a name that is free, holds the same image, or holds an incomplete one. */
const place = (
  base: string,
  image: ImageFile.LoadedImage,
  attempt = 1
): Effect.Effect<string, PlatformError, Platform> =>
  Effect.gen(function* () {
    const file = `${numbered(base, attempt)}.${extensions[image.mediaType]}`
    const existing = yield* readIfExists(file)
    if (Option.isNone(existing)) {
      return yield* Effect.catchIf(write(file, image.bytes, claim), isAlreadyExists, () => place(base, image, attempt))
    }
    if (areEqual(existing.value, image.bytes)) return file
    return yield* (yield* isComplete(existing.value))
      ? place(base, image, attempt + 1)
      : write(file, image.bytes, replace)
  })

/** Whether a file is at least as new as a generation, so that it is not that of an earlier one. */
const isSavedSince = (file: string, since: DateTime.Utc | undefined) =>
  Effect.gen(function* () {
    if (since === undefined) return true
    const { mtime } = yield* (yield* FileSystem.FileSystem).stat(file)
    return Option.exists(mtime, (date) => date.getTime() >= DateTime.toEpochMillis(since))
  })

const holdsImage = (file: string, since: DateTime.Utc | undefined) =>
  readIfExists(file).pipe(
    Effect.flatMap(Option.match({ onNone: () => Effect.succeed(false), onSome: isComplete })),
    Effect.zipWith(isSavedSince(file, since), (isImage, isNew) => isImage && isNew),
    Effect.orElseSucceed(() => false)
  )

/** Saves images to a directory. It is created if it does not exist. */
export const directoryStore = (directory: string): Effect.Effect<Store, never, Platform> =>
  Effect.gen(function* () {
    const platform = yield* Effect.context<Platform>()
    const { join } = yield* Path.Path
    return {
      put: (stem, image) =>
        place(join(directory, stem), image).pipe(
          Effect.mapError(
            ({ description, message }) => new StoreFailure({ location: directory, reason: description ?? message })
          ),
          Effect.provide(platform)
        ),
      find: (stem, _, since) =>
        Effect.findFirst(
          Object.values(extensions).map((extension) => join(directory, `${stem}.${extension}`)),
          (file) => holdsImage(file, since)
        ).pipe(Effect.provide(platform))
    }
  })
