import type { PlatformError } from "@effect/platform/Error"
import { isPlatformError } from "@effect/platform/Error"
import * as Cause from "effect/Cause"
import type { ConfigError } from "effect/ConfigError"
import { isMissingDataOnly } from "effect/ConfigError"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { ArtaError, GenerateRequest } from "effect-arta"
import { Generation } from "effect-arta"
import { stripVTControlCharacters } from "node:util"
import { quote } from "shell-quote"
import { flags as flagNames } from "./flagNames.js"
import type { Line } from "./jsonOutput.js"
import { explainPlatformError, explainReason, sameCommand } from "./platformErrors.js"

/** The exit codes. The documentation lists them too. */
export const exitCodes = {
  success: 0,
  unexpected: 1,
  usage: 2,
  configuration: 3,
  refused: 4,
  network: 5,
  generationFailed: 6,
  timeout: 7,
  interrupted: 130
} as const

type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** The arguments or the input file are invalid. */
export class UsageError extends Schema.TaggedError<UsageError>()("UsageError", { message: Schema.String }) {}

/** The environment or a file on this machine prevents the command from running. */
export class SetupError extends Schema.TaggedError<SetupError>()("SetupError", {
  message: Schema.String,
  /** The generation that the service had accepted before. */
  recordId: Schema.optional(Generation.RecordId)
}) {}

/** The service delivered fewer images than were requested. The others are saved. */
export class MissingImages extends Schema.TaggedError<MissingImages>()("MissingImages", {
  recordId: Generation.RecordId,
  missing: Schema.Int,
  requested: Schema.Int
}) {
  override get message(): string {
    return `${String(this.missing)} of ${String(this.requested)} images did not come.`
  }
}

export const failIfMissing = ({
  missing,
  recordId,
  requested
}: Generation.Generation): Effect.Effect<void, MissingImages> =>
  missing > 0 ? new MissingImages({ missing, recordId, requested }) : Effect.void

/** Some rows of a batch failed. `--json` has printed each of them already. */
export class PartlyFailed extends Schema.TaggedError<PartlyFailed>()("PartlyFailed", {
  message: Schema.String,
  exitCode: Schema.Number
}) {}

export type Failure = ArtaError.ArtaError | UsageError | SetupError | MissingImages | PartlyFailed | PlatformError

const codeByTag: Record<ArtaError.ArtaError["_tag"], ExitCode> = {
  InvalidRequestError: exitCodes.usage,
  UnknownModelError: exitCodes.usage,
  AuthError: exitCodes.refused,
  TokenStoreError: exitCodes.configuration,
  TransportError: exitCodes.network,
  ResponseError: exitCodes.refused,
  UnauthorizedError: exitCodes.refused,
  RateLimitedError: exitCodes.refused,
  SubmissionUnknownError: exitCodes.network,
  GenerationFailedError: exitCodes.generationFailed,
  GenerationTimeoutError: exitCodes.timeout,
  DownloadError: exitCodes.network
}

export const exitCodeOfFailure = (failure: Failure): number => {
  switch (failure._tag) {
    case "UsageError":
      return exitCodes.usage
    case "SetupError":
    case "BadArgument":
    case "SystemError":
      return exitCodes.configuration
    case "MissingImages":
      return exitCodes.generationFailed
    case "PartlyFailed":
      return failure.exitCode
    case "InvalidRequestError":
      return /proxy$|^tokenFile$|^layer$/i.test(failure.field) ? exitCodes.configuration : exitCodes.usage
    case "DownloadError":
      return failure.path === undefined ? exitCodes.network : exitCodes.configuration
    case "AuthError":
      return failure.reason.startsWith("API_KEY_") ? exitCodes.configuration : exitCodes.refused
    default:
      return codeByTag[failure._tag]
  }
}

const isFlag = (field: string): field is keyof typeof flagNames => field in flagNames

const flagNameOf = (field: string): string => (isFlag(field) ? flagNames[field] : `The option ${field}`)

/** The flags of the `watch` command that resumes a generation. None: nothing can resume it. */
export type WatchFlags = Option.Option<ReadonlyArray<string>>

export const watchCommand = (recordId: string, flags: ReadonlyArray<string>): string =>
  // After `--`, an id that begins with a hyphen is no option.
  quote(["effect-arta", "watch", ...(recordId.startsWith("-") ? [...flags, "--", recordId] : [recordId, ...flags])])

const watchHint = (recordId: string | undefined, flags: WatchFlags): string =>
  recordId === undefined || Option.isNone(flags) ? "" : `\n${watchCommand(recordId, flags.value)}`

/** What to do once a disk works again: resume the generation if it was accepted. */
const resumeOrRepeat = (recordId: string | undefined, flags: WatchFlags): string =>
  recordId === undefined || Option.isNone(flags)
    ? sameCommand
    : `get the images of the accepted generation ${recordId}:${watchHint(recordId, flags)}`

/** A file or directory failed after a submission: even so, the service finishes the generation. */
export const toSetupError = (
  error: PlatformError,
  recordId: Generation.RecordId | undefined,
  flags: WatchFlags
): SetupError => new SetupError({ message: explainPlatformError(error, resumeOrRepeat(recordId, flags)), recordId })

const lookFirstHint = ({ seed }: GenerateRequest.GenerateRequest): string =>
  `\nLook for it among your images at the service before you submit it again (seed ${String(seed)}).`

/** Whether the service has no such generation. */
export const isGone = ({ operation, status }: ArtaError.ResponseError): boolean =>
  operation === "status" && (status === 404 || status === 410)

/** What an option must be, with the flag instead of the setting of the library. */
export const allowedFor = ({ allowed }: ArtaError.InvalidRequestError): string =>
  allowed.replace('set limits: "none"', "add --no-limits")

/** What happened, and what to do next. */
export const explain = (failure: Failure, flags: WatchFlags = Option.none()): string => {
  switch (failure._tag) {
    case "InvalidRequestError":
      return `${flagNameOf(failure.field)} must be ${allowedFor(failure)}.`
    case "UnknownModelError":
      return `${failure.message}\nSee them all: effect-arta models`
    case "ResponseError":
      return isGone(failure)
        ? `The service has no generation ${failure.recordId ?? ""}. Check the id, or generate the images again.`
        : failure.message + watchHint(failure.recordId, flags)
    case "SubmissionUnknownError":
      return failure.message + lookFirstHint(failure.request)
    case "GenerationTimeoutError":
      return (
        failure.message +
        (failure.request === undefined ? watchHint(failure.recordId, flags) : lookFirstHint(failure.request))
      )
    case "GenerationFailedError":
      return `${failure.message}\nTry another --seed, or rephrase the prompt.`
    case "DownloadError":
    case "TokenStoreError":
      return (
        explainReason(failure, resumeOrRepeat(failure.recordId, flags)) ??
        failure.message + watchHint(failure.recordId, flags)
      )
    case "BadArgument":
    case "SystemError":
      return explainPlatformError(failure)
    case "UsageError":
    case "SetupError":
    case "MissingImages":
    case "PartlyFailed":
      return failure.message
    default:
      return failure.message + watchHint(failure.recordId, flags)
  }
}

/** A failure as `--json` prints it. */
export const failedLine = (failure: Failure): Extract<Line, { readonly _tag: "Failed" }> => ({
  _tag: "Failed",
  error: failure._tag,
  message: isPlatformError(failure) ? explainPlatformError(failure) : failure.message,
  recordId: "recordId" in failure ? failure.recordId : undefined
})

/** Turns an error of the configuration into an instruction. */
export const fromConfigError = (error: ConfigError): SetupError =>
  new SetupError({
    message: isMissingDataOnly(error)
      ? "No API key is set. Set ARTA_API_KEY in the environment or in a .env file, or add --emulator to try the command without a key."
      : error._op === "InvalidData"
        ? `${error.path.join("_")}: ${error.message}. Correct or unset it.`
        : "An environment variable that starts with ARTA_ has an invalid value. Correct or unset it."
  })

const defect = "An unexpected error occurred. Run the command again with --log-level debug and report the output."

/** The command failed and has printed why. */
export class Ended extends Data.TaggedError("Ended")<{ readonly exitCode: number }> {}

/** Prints the failure on standard error. At log level debug, logs the cause with its stack too. */
const printCause =
  (flags: WatchFlags) =>
  (cause: Cause.Cause<Failure>): Effect.Effect<void> => {
    if (Cause.isInterruptedOnly(cause)) return Effect.void
    const text = Option.match(Cause.failureOption(cause), {
      onNone: () => defect,
      onSome: (failure) => explain(failure, flags)
    })
    // A message from the service must not control the terminal.
    return Effect.zipRight(Console.error(stripVTControlCharacters(text)), Effect.logDebug(cause))
  }

export const printFailures = <A, R>(
  command: Effect.Effect<A, Failure, R>,
  flags: WatchFlags = Option.none()
): Effect.Effect<A, Ended, R> =>
  command.pipe(
    Effect.tapErrorCause(printCause(flags)),
    Effect.mapError((failure) => new Ended({ exitCode: exitCodeOfFailure(failure) }))
  )

const exitCodeOfError = (error: unknown): number => (error instanceof Ended ? error.exitCode : exitCodes.unexpected)

/** The exit code of the process. */
export const exitCodeOf = (exit: Exit.Exit<unknown, unknown>): number =>
  Exit.match(exit, {
    onSuccess: () => exitCodes.success,
    onFailure: (cause) =>
      Cause.isInterruptedOnly(cause)
        ? exitCodes.interrupted
        : Option.match(Cause.failureOption(cause), { onNone: () => exitCodes.unexpected, onSome: exitCodeOfError })
  })
