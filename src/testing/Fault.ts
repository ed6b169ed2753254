/**
 * Faults of the emulated services: error responses, lost connections, and failed generations.
 *
 * The emulator keeps its faults in a list. Each request takes the first fault for its operation. Without one, the
 * services work normally.
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
 * The operation of a request to the emulator.
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
 * Responds with this status and does nothing else. A string `body` is sent as HTML, any other `body` as JSON. Default:
 * an empty body and no extra headers.
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
 * Responds with an error of the identity services, such as `USER_DISABLED`. The default HTTP status is 400.
 *
 * @since 0.1.0
 * @category constructors
 */
export const identityError = (on: "signUp" | "refresh", message: string, status = 400): Fault =>
  respond(on, status, {
    body: { error: { code: status, message, errors: [{ message, reason: "invalid", domain: "global" }] } }
  })

/**
 * Closes the connection without a response. On a port, cuts the response off after its headers. With `handled: true`,
 * the service processes the request first. Default: `false`.
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
 * Never responds.
 *
 * @since 0.1.0
 * @category constructors
 */
export const hang = (on: Operation): Fault => ({ _tag: "Hang", on })

/**
 * Accepts the next submission, then ends that generation with this status and without images.
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
