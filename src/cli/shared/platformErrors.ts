import type { PlatformError } from "@effect/platform/Error"
import type { ArtaError } from "effect-arta"
import { printable } from "./printable.js"

interface Explanation {
  readonly problem: string
  readonly remedy: string
}

const denied: Explanation = {
  problem: "Permission denied",
  remedy: "Change the permissions, or choose another path"
}
const inUse: Explanation = { problem: "Another program is using this file", remedy: "Close that program" }

/** By the code of the operating system. */
const explanations: Readonly<Record<string, Explanation>> = {
  ENOSPC: { problem: "The disk is full", remedy: "Free space" },
  EDQUOT: { problem: "Your disk quota is used up", remedy: "Free space, or ask for a higher quota" },
  EFBIG: { problem: "The file is too large for this disk", remedy: "Choose another directory" },
  EACCES: denied,
  EPERM: denied,
  EROFS: { problem: "The disk is read-only", remedy: "Choose another directory" },
  EMFILE: {
    problem: "This command has too many open files",
    remedy: "Raise the limit, for example with ulimit -n 4096"
  },
  ENFILE: { problem: "The system has too many open files", remedy: "Close other programs" },
  ENOENT: { problem: "There is no such file or directory", remedy: "Correct the path" },
  ENOTDIR: { problem: "A part of this path is a file, not a directory", remedy: "Choose another path" },
  EISDIR: { problem: "This is a directory, not a file", remedy: "Choose a file" },
  EEXIST: { problem: "There is already a file at this path", remedy: "Choose another path" },
  ENAMETOOLONG: { problem: "The path is too long", remedy: "Choose a shorter one" },
  ELOOP: { problem: "Symbolic links lead in a circle", remedy: "Correct them" },
  EBUSY: inUse,
  ETXTBSY: inUse,
  EIO: { problem: "The disk reports an error", remedy: "Check the disk" }
}

const codeByReason: Readonly<Record<string, string>> = {
  NotFound: "ENOENT",
  PermissionDenied: "EACCES",
  AlreadyExists: "EEXIST",
  Busy: "EBUSY"
}

// Node's messages start with the code: `ENOSPC: no space left on device, write`.
const explanationIn = (text: string): Explanation | undefined =>
  explanations[/(?:^|: )(E[A-Z]{2,}): /.exec(text)?.[1] ?? ""]

/** What to do once the remedy has worked, as the end of a sentence. */
export const sameCommand = "run the same command again."

const sentences = ({ problem, remedy }: Explanation, path: string, next: string): string =>
  `${problem}${path === "" ? "" : `: ${printable(path)}`}. ${remedy}, then ${next}`

const pathOf = (error: PlatformError): string =>
  // A number is a file descriptor, which says nothing to a reader.
  error._tag === "SystemError" && typeof error.pathOrDescriptor === "string" ? error.pathOrDescriptor : ""

/** What happened to a file or directory, and what to do. */
export const explainPlatformError = (error: PlatformError, next = sameCommand): string => {
  const description = error.description ?? error.message
  const reason = error._tag === "SystemError" ? error.reason : ""
  const explanation = explanationIn(description) ?? explanations[codeByReason[reason] ?? ""]
  return sentences(
    explanation ?? { problem: `A file operation failed (${printable(description)})`, remedy: "Correct that" },
    pathOf(error),
    next
  )
}

/** The same for an image or a session that could not be written. Undefined: its reason is not one of the disk's. */
export const explainReason = (
  { path, reason }: Pick<ArtaError.TokenStoreError | ArtaError.DownloadError, "path" | "reason">,
  next = sameCommand
): string | undefined => {
  const explanation = path === undefined ? undefined : explanationIn(reason)
  return explanation && sentences(explanation, path ?? "", next)
}
