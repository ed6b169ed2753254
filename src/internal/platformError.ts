import type { PlatformError } from "@effect/platform/Error"

const hasReason = (reason: "AlreadyExists" | "NotFound" | "PermissionDenied") => (error: PlatformError) =>
  error._tag === "SystemError" && error.reason === reason

export const isAlreadyExists: (error: PlatformError) => boolean = hasReason("AlreadyExists")

/** The code of the operating system, such as `EBUSY`. Effect keeps it at the start of the description. */
const codeOf = (error: PlatformError): string => error.description?.split(":", 1)[0] ?? ""

/** Whether there is no file: one of its directories may be missing too, or be a file. */
export const isNotFound = (error: PlatformError): boolean => hasReason("NotFound")(error) || codeOf(error) === "ENOTDIR"

/** Whether a file is there but no other can take its place: a container mounts it as a single file. */
export const isMountPoint = (error: PlatformError): boolean =>
  (error._tag === "SystemError" && error.reason === "Busy") || codeOf(error) === "EXDEV"

/** Whether this user may not do it. In a sticky directory, only the owner of a file may rename or remove it. */
export const isNotPermitted = (error: PlatformError): boolean =>
  hasReason("PermissionDenied")(error) || codeOf(error) === "EPERM"

/** Whether a file cannot be created: its name is too long, or its directory read-only, another user's, or missing. */
export const isUnwritable = (error: PlatformError): boolean =>
  error._tag === "BadArgument" ||
  ["NotFound", "PermissionDenied", "BadResource"].includes(error.reason) ||
  ["EROFS", "ENAMETOOLONG"].includes(codeOf(error))

/** Whether a disk has no room left. */
export const isDiskFull = (error: PlatformError): boolean => ["ENOSPC", "EDQUOT"].includes(codeOf(error))
