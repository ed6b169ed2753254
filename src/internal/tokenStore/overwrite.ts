import type { PlatformError } from "@effect/platform/Error"
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import { groupAccess } from "../fileAccess.js"
import { isMountPoint, isNotFound, isNotPermitted, isUnwritable } from "../platformError.js"

/** Whether a new file cannot be given to the owner and the group of the one that it replaces. */
export const isOwnerRefused = (error: PlatformError): boolean => ["chown", "chmod"].includes(error.method)

/** Whether a file cannot be replaced or removed, although its content may be writable. */
const isReplacementRefused = (error: PlatformError): boolean =>
  // A directory refuses a new file and a removal. An error while writing says nothing about the file itself.
  isMountPoint(error) ||
  isOwnerRefused(error) ||
  (isUnwritable(error) && ["open", "remove"].includes(error.method)) ||
  (isNotPermitted(error) && ["rename", "remove"].includes(error.method))

// Spaces cover the rest of the old text until it is cut off: the file holds a session at every moment, and never seems
// empty, which would mean signed out.
const overwrite = (fs: FileSystem.FileSystem, file: string, text: string) =>
  Effect.gen(function* () {
    const encoder = new TextEncoder()
    const handle = yield* fs.open(file, { flag: "r+" })
    const before = yield* handle.stat
    yield* Effect.ignore(fs.chmod(file, 0o600 | groupAccess(before)))
    const padded = text.padEnd(Number(before.size))
    if (padded !== "") yield* handle.writeAll(encoder.encode(padded))
    yield* handle.truncate(encoder.encode(text).length)
    yield* handle.sync
  }).pipe(Effect.scoped)

/**
 * Overwrites a file that cannot be replaced. Fails with the error of the replacement if there is no such file, or if the
 * file could still be replaced by one that belongs to this user.
 */
export const orOverwrite =
  (fs: FileSystem.FileSystem, file: string, text: string, onOverwritten: Effect.Effect<void>) =>
  <R>(replacement: Effect.Effect<void, PlatformError, R>): Effect.Effect<void, PlatformError, R> =>
    Effect.catchIf(replacement, isReplacementRefused, (refusal) =>
      overwrite(fs, file, text).pipe(
        Effect.catchIf(
          (error) => isNotFound(error) || isOwnerRefused(refusal),
          () => Effect.fail(refusal)
        ),
        Effect.zipRight(onOverwritten)
      )
    )
