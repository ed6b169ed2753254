import type { PlatformError } from "@effect/platform/Error"

const hasReason = (reason: "AlreadyExists" | "NotFound") => (error: PlatformError) =>
  error._tag === "SystemError" && error.reason === reason

export const isAlreadyExists: (error: PlatformError) => boolean = hasReason("AlreadyExists")

export const isNotFound: (error: PlatformError) => boolean = hasReason("NotFound")
