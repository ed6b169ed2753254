/**
 * What can go wrong with the emulated services, one fault at a time.
 *
 * Faults form a list. Each request takes the first fault in it that is meant for its operation; with none left the
 * services behave.
 *
 * @example
 * ```ts
 * import { ArtaEmulator, Fault } from "effect-arta/testing"
 *
 * export const TestLayer = ArtaEmulator.layerArta({
 *   faults: [Fault.respond("status", 503), Fault.drop("status"), Fault.failGeneration("FAILED", "NSFW content")]
 * })
 * ```
 *
 * @since 0.1.0
 */

/**
 * The requests that the emulator tells apart.
 *
 * @since 0.1.0
 * @category models
 */
export type Operation = "signUp" | "refresh" | "submit" | "status" | "image"

/**
 * @since 0.1.0
 * @category models
 */
export type Fault =
  | {
      readonly _tag: "Respond"
      readonly on: Operation
      readonly status: number
      readonly body: unknown
      readonly headers: Readonly<Record<string, string>>
    }
  | { readonly _tag: "Drop"; readonly on: Operation; readonly handled: boolean }
  | { readonly _tag: "Hang"; readonly on: Operation }
  | { readonly _tag: "FailGeneration"; readonly on: "generation"; readonly status: string; readonly detail: string }

/**
 * Answers with this status instead of doing anything. A `body` that is a string is sent as HTML, anything else as JSON.
 *
 * @since 0.1.0
 * @category constructors
 */
export const respond = (
  on: Operation,
  status: number,
  options: { readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> } = {}
): Fault => ({ _tag: "Respond", on, status, body: options.body ?? "", headers: options.headers ?? {} })

/**
 * Answers with an error of the identity services, such as `USER_DISABLED`. The HTTP status is 400 unless given.
 *
 * @since 0.1.0
 * @category constructors
 */
export const identityError = (on: "signUp" | "refresh", message: string, status = 400): Fault =>
  respond(on, status, {
    body: { error: { code: status, message, errors: [{ message, reason: "invalid", domain: "global" }] } }
  })

/**
 * Closes the connection without an answer. With `handled`, the service does what it was asked to do first.
 *
 * @since 0.1.0
 * @category constructors
 */
export const drop = (on: Operation, options: { readonly handled?: boolean } = {}): Fault => ({
  _tag: "Drop",
  on,
  handled: options.handled ?? false
})

/**
 * Never answers.
 *
 * @since 0.1.0
 * @category constructors
 */
export const hang = (on: Operation): Fault => ({ _tag: "Hang", on })

/**
 * Accepts the next submission, and ends that generation with this status instead of drawing it.
 *
 * @since 0.1.0
 * @category constructors
 */
export const failGeneration = (status: string, detail = ""): Fault => ({
  _tag: "FailGeneration",
  on: "generation",
  status,
  detail
})
