import type { PlatformError } from "@effect/platform/Error"

const hasReason = (reason: "AlreadyExists" | "NotFound") => (error: PlatformError) =>
  error._tag === "SystemError" && error.reason === reason

export const isAlreadyExists: (error: PlatformError) => boolean = hasReason("AlreadyExists")

export const isNotFound: (error: PlatformError) => boolean = hasReason("NotFound")

/** The code of the operating system, such as `EBUSY`. Effect keeps it at the start of the description. */
const codeOf = (error: PlatformError): string => error.description?.split(":", 1)[0] ?? ""

/** Whether a file is there but no other can take its place: a container mounts it as a single file. */
export const isMountPoint = (error: PlatformError): boolean =>
  (error._tag === "SystemError" && error.reason === "Busy") || codeOf(error) === "EXDEV"

/** Whether no file can be created in a directory: it is read-only, belongs to another user, or is not there. */
export const isUnwritable = (error: PlatformError): boolean =>
  error._tag === "BadArgument" ||
  ["NotFound", "PermissionDenied", "BadResource"].includes(error.reason) ||
  codeOf(error) === "EROFS"

/** Whether a disk has no room left. */
export const isDiskFull = (error: PlatformError): boolean => ["ENOSPC", "EDQUOT"].includes(codeOf(error))
