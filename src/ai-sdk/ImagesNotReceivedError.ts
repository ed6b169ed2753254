/**
 * The error of a call that ended after the service accepted its generation.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import type { RecordId } from "../Generation.js"

const asError = (cause: unknown): Error =>
  // An abort reason of the platform is a DOMException, which is an Error on Node.
  cause instanceof Error ? cause : new Error(String(cause), { cause })

/**
 * The service accepted a generation, but the call ended without its images: it was aborted, the provider was closed, or
 * no image could be downloaded. `cause` says which. The generation is charged, and `NodeArta.client().resume(recordId)`
 * gets its images.
 *
 * @since 0.1.0
 * @category errors
 */
export class ImagesNotReceivedError extends Data.TaggedError("ImagesNotReceivedError")<{
  readonly recordId: RecordId
  readonly cause: unknown
}> {
  /**
   * The name of the cause, by which programs recognize an aborted call.
   *
   * @since 0.1.0
   */
  override readonly name = asError(this.cause).name

  override get message(): string {
    return (
      `${asError(this.cause).message} The service accepted the generation ${this.recordId} and charges for it: ` +
      "resume it to get its images."
    )
  }
}
