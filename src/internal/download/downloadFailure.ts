import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import type { BodyFailure } from "../body.js"

/**
 * Why a download failed, and what may help: a retry, to wait (for `retryAfter`, if the server said so), or a new URL.
 */
export class DownloadFailure extends Data.TaggedError("DownloadFailure")<{
  readonly reason: string
  readonly recovery: "retry" | "wait" | "new url" | "none"
  readonly retryAfter?: Duration.Duration
  /** The directory that the image could not be saved to. */
  readonly path?: string
}> {}

export const failure = (recovery: DownloadFailure["recovery"], reason: string): DownloadFailure =>
  new DownloadFailure({ recovery, reason })

export const incomplete = failure("retry", "the image is incomplete")

export const fromBodyFailure = ({ isTooLarge, reason }: BodyFailure): DownloadFailure =>
  isTooLarge ? failure("none", reason) : incomplete

export const timedOut = (timeout: Duration.Duration, last?: DownloadFailure): DownloadFailure =>
  failure("none", `no complete image within ${Duration.format(timeout)}${last === undefined ? "" : `: ${last.reason}`}`)

/** A URL without its user and password. */
export const withoutUser = (url: string): string => url.replace(/^(https?:\/\/)[^/?#]*@/i, "$1")
