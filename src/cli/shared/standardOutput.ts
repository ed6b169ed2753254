import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schedule from "effect/Schedule"
import type { Generation } from "effect-arta"
import { ImageFile } from "effect-arta"
import { write } from "node:fs"
import { SetupError, UsageError, watchCommand } from "./errors.js"
import type { OutputFlags, OutputOptions } from "./options.js"
import { printable } from "./printable.js"
import type { SaveResult, SaveServices } from "./saveImages.js"

/** Whether `-o -` asks for the bytes of the image. */
export const isStandardOutput = ({ output }: Pick<OutputFlags, "output">): boolean => output === "-"

const problemOf = (flags: OutputFlags, n: number): string | undefined => {
  if (!isStandardOutput(flags)) {
    return flags.noSave && flags.open ? "--open opens saved images. Leave out --no-save." : undefined
  }
  if (flags.json) return "-o - and --json both write to standard output. Choose one of them."
  if (flags.noSave) return "-o - writes the image, and --no-save writes none. Choose one of them."
  if (flags.open) return "--open opens saved images, and -o - saves none. Choose one of them."
  if (n > 1) return `-o - writes one image, not ${String(n)}. Save them to a directory: -o images`
  return process.stdout.isTTY
    ? "-o - does not write an image to a terminal. Redirect it to a file or a program: effect-arta generate PROMPT -o - > image.png"
    : undefined
}

/** Refuses what the output cannot take, before anything is sent. */
export const checkOutput = (flags: OutputFlags, n = 1): Effect.Effect<void, UsageError> =>
  Effect.suspend(() => {
    const message = problemOf(flags, n)
    return message === undefined ? Effect.void : new UsageError({ message })
  })

class WriteError extends Data.TaggedError("WriteError")<{ readonly code: string; readonly reason: string }> {}

// `process.stdout` drops the rest of an image without an error if a disk takes only a part of it (Node 20).
const writeSome = (bytes: Uint8Array): Effect.Effect<number, WriteError> =>
  Effect.async<number, WriteError>((resume) => {
    write(1, bytes, (error, written) => {
      resume(
        error === null ? Effect.succeed(written) : new WriteError({ code: error.code ?? "", reason: error.message })
      )
    })
  }).pipe(
    // A reader that is slower than this command.
    Effect.retry({ while: ({ code }) => code === "EAGAIN", schedule: Schedule.spaced("10 millis") })
  )

const writeAll = (bytes: Uint8Array): Effect.Effect<void, WriteError> =>
  Effect.flatMap(writeSome(bytes), (written) =>
    written < bytes.length ? writeAll(bytes.subarray(written)) : Effect.void
  )

const keptAt = (file: string): string => `The image is kept in ${printable(file)}`

/**
 * Writes the only image of a generation to standard output. It is in a temporary file until that has succeeded: if the
 * reader leaves or the disk is full, the file stays, and the message names it.
 */
export const writeImage =
  ({ metadata }: OutputOptions, name?: string) =>
  (done: Generation.Generation): Effect.Effect<SaveResult, PlatformError | SetupError, SaveServices> =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const [, ...others] = done.images
      if (others.length > 0) {
        return yield* new SetupError({
          message:
            `The generation has ${String(done.images.length)} images, and -o - writes one. ` +
            `Save them to a directory: ${watchCommand(done.recordId, ["-o", "images"])}`,
          recordId: done.recordId
        })
      }
      const directory = yield* fs.makeTempDirectory({ prefix: "effect-arta-" })
      const [saved] = yield* ImageFile.save(done, { directory, name, metadata })
      if (saved?.result._tag !== "Right") return { paths: [], failures: saved === undefined ? [] : [saved.result.left] }
      const file = saved.result.right
      const exit = yield* Effect.flatMap(fs.readFile(file), writeAll).pipe(
        Effect.onInterrupt(() => Console.error(`Interrupted. ${keptAt(file)}.`)),
        Effect.exit
      )
      if (Exit.isFailure(exit)) {
        return yield* new SetupError({
          message: `Standard output did not take the whole image. ${keptAt(file)}.`,
          recordId: done.recordId
        })
      }
      yield* Effect.ignore(fs.remove(directory, { recursive: true }))
      return { paths: [], failures: [] }
    })
