import type { HttpClient } from "@effect/platform/HttpClient"
import type { HttpClientError } from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as Undici from "@effect/platform-node/Undici"
import { Effect, Fiber, Stream } from "effect"
import type { Dispatch } from "../../src/internal/node/dispatcher.js"
import type { VirtualTime } from "./controlledTime.js"

const failure = (code: string, message: string) => Object.assign(new Error(message), { code })

const connectionLost = failure("UND_ERR_SOCKET", "other side closed")

/** A part of an exchange that ends as undici's does: after so long, or with the connection. */
const within = <A>(part: Effect.Effect<A, HttpClientError>, millis: number | null | undefined, code: string) =>
  Effect.mapError(part, () => connectionLost).pipe(
    Effect.timeoutFail({ duration: millis ?? Infinity, onTimeout: () => failure(code, "timeout") })
  )

const toRequest = ({ body, headers, method, origin, path }: Undici.Dispatcher.DispatchOptions) => {
  const url = `${String(origin)}${path}`
  const request = HttpClientRequest.make(method === "POST" ? "POST" : "GET")(url, {
    headers: Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name, String(value)]))
  })
  return typeof body === "string" ? HttpClientRequest.bodyText(request, body) : request
}

/** undici's `dispatch` in virtual time, with the responses of a client. */
export const virtualDispatch =
  (client: HttpClient, time: VirtualTime): Dispatch =>
  (options, handler) => {
    const exchange = Effect.gen(function* () {
      handler.onRequestStart?.(controller, undefined)
      const { headers, status, stream } = yield* within(
        client.execute(toRequest(options)),
        options.headersTimeout,
        "UND_ERR_HEADERS_TIMEOUT"
      )
      handler.onResponseStart?.(controller, status, headers)
      yield* within(
        Stream.runForEach(stream, (chunk) =>
          Effect.sync(() => {
            const middle = Math.floor(chunk.length / 2)
            handler.onResponseData?.(controller, Buffer.from(chunk.subarray(0, middle)))
            handler.onResponseData?.(controller, Buffer.from(chunk.subarray(middle)))
          })
        ),
        options.bodyTimeout,
        "UND_ERR_BODY_TIMEOUT"
      )
      handler.onResponseEnd?.(controller, {})
    }).pipe(
      Effect.catchAll((error) =>
        Effect.sync(() => {
          handler.onResponseError?.(controller, error)
        })
      )
    )

    let reason: Error | null = null
    const controller: Undici.Dispatcher.DispatchController = {
      get aborted() {
        return reason !== null
      },
      get reason() {
        return reason
      },
      paused: false,
      pause: () => undefined,
      resume: () => undefined,
      abort: (why) => {
        if (reason !== null || fiber.unsafePoll() !== null) return
        reason = why
        time.fork(Fiber.interrupt(fiber))
        handler.onResponseError?.(controller, why)
      }
    }
    const fiber = time.fork(exchange)
    return true
  }
