import type { PlatformError } from "@effect/platform/Error"
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import { isMountPoint, isNotFound, isUnwritable } from "../platformError.js"

/** Whether a file cannot be replaced or removed, although its content may be writable. */
const isReplacementRefused = (error: PlatformError): boolean =>
  // A directory refuses a new file and a removal. An error while writing says nothing about the file itself.
  isMountPoint(error) || (isUnwritable(error) && ["open", "remove"].includes(error.method))

// Spaces cover the rest of the old text until it is cut off: the file holds a session at every moment, and never seems
// empty, which would mean signed out.
const overwrite = (fs: FileSystem.FileSystem, file: string, text: string) =>
  Effect.gen(function* () {
    const encoder = new TextEncoder()
    const handle = yield* fs.open(file, { flag: "r+" })
    yield* Effect.ignore(fs.chmod(file, 0o600))
    const { size } = yield* handle.stat
    const padded = text.padEnd(Number(size))
    if (padded !== "") yield* handle.writeAll(encoder.encode(padded))
    yield* handle.truncate(encoder.encode(text).length)
    yield* handle.sync
  }).pipe(Effect.scoped)

/** Overwrites a file that cannot be replaced. If there is no such file, fails with the error of the replacement. */
export const orOverwrite =
  (fs: FileSystem.FileSystem, file: string, text: string, onOverwritten: Effect.Effect<void>) =>
  <R>(replacement: Effect.Effect<void, PlatformError, R>): Effect.Effect<void, PlatformError, R> =>
    Effect.catchIf(replacement, isReplacementRefused, (refusal) =>
      overwrite(fs, file, text).pipe(
        Effect.catchIf(isNotFound, () => Effect.fail(refusal)),
        Effect.zipRight(onOverwritten)
      )
    )
