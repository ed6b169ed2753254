import type * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"

const special: ReadonlyArray<FileSystem.File.Type> = ["BlockDevice", "CharacterDevice", "FIFO", "Socket"]

/** Whether a path leads to a device, a pipe or a socket, which may not end when read, and must not be replaced. */
export const isSpecialFile = (fs: FileSystem.FileSystem, file: string): Effect.Effect<boolean> =>
  fs.stat(file).pipe(
    Effect.map(({ type }) => special.includes(type)),
    Effect.orElseSucceed(() => false)
  )

/** The permissions of the group, if a file is shared with its group and with nobody else. */
export const groupAccess = ({ mode }: FileSystem.File.Info): number => ((mode & 0o007) === 0 ? mode & 0o060 : 0)
