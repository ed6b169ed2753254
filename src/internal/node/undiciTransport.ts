import type * as Undici from "@effect/platform-node/Undici"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { constVoid } from "effect/Function"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import { concat, decodeUtf8, decompressText, isCompressed, toBytes, tooLarge } from "../body.js"
import { cutOff, diagnose, diagnoseCause, noResponseWithin, proxyAuthentication } from "../diagnosis.js"
import { parseJson } from "../explanation.js"
import type { TransportFailure, TransportRequest, TransportResponse } from "../transport.js"
import { isRefusal, Transport } from "../transport.js"
import type { Dispatch } from "./dispatcher.js"

type Result = Effect.Effect<TransportResponse, TransportFailure>

const timeouts: ReadonlySet<unknown> = new Set(["UND_ERR_HEADERS_TIMEOUT", "UND_ERR_BODY_TIMEOUT"])

/** Collects one response. */
class Exchange implements Undici.Dispatcher.DispatchHandler {
  #controller: Undici.Dispatcher.DispatchController | undefined
  #isAborted = false
  #status = 0
  #headers: Readonly<Record<string, string | Array<string> | undefined>> = {}
  #chunks: Array<Uint8Array> = []
  #length = 0
  #result: Result | undefined
  #onResult: (result: Result) => void = constVoid
  readonly #startedAt = performance.now()

  constructor(readonly request: TransportRequest) {}

  /** Waits for the result, which may already be there. */
  readonly result: Result = Effect.async((resume) => {
    this.#onResult = resume
    if (this.#result !== undefined) resume(this.#result)
  })

  #end(result: Result) {
    if (this.#result !== undefined) return
    this.#result = result
    this.#onResult(result)
  }

  onRequestStart(controller: Undici.Dispatcher.DispatchController) {
    this.#controller = controller
    if (this.#isAborted) this.abort()
    else this.request.onSend?.()
  }

  onResponseStart(
    _controller: Undici.Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | Array<string> | undefined>>
  ) {
    this.#status = status
    this.#headers = headers
    if (status < 200) this.#failIfLate()
  }

  onResponseData(_controller: Undici.Dispatcher.DispatchController, chunk: Uint8Array) {
    const { maxMebibytes } = this.request
    this.#chunks.push(chunk)
    this.#length += chunk.length
    if (this.#length > toBytes(maxMebibytes)) this.#fail(diagnose(tooLarge(maxMebibytes)))
    else this.#failIfLate()
  }

  onResponseEnd() {
    const bytes = concat(this.#chunks)
    this.#end(
      isCompressed(bytes)
        ? Effect.matchEffect(decompressText(bytes, this.request.maxMebibytes), {
            onFailure: (failure) => this.#withoutBody(diagnose(failure)),
            onSuccess: (text) => this.#withBody(text)
          })
        : this.#withBody(decodeUtf8(bytes))
    )
  }

  onResponseError(_controller: Undici.Dispatcher.DispatchController, error: Error & { readonly code?: unknown }) {
    if (timeouts.has(error.code)) this.#end(this.#cutOff(noResponseWithin(this.request.timeout)))
    else if (this.#status !== 0) this.#end(this.#cutOff(cutOff))
    else this.#end(Effect.fail(this.#diagnose(error)))
  }

  /** A request that has started may have been sent, whatever the error says. Only a proxy's 407 proves otherwise. */
  #diagnose(error: Error): TransportFailure {
    const failure = diagnoseCause(error)
    return { ...failure, sent: this.#controller !== undefined && failure.reason !== proxyAuthentication.reason }
  }

  /** undici's time limit starts again after each informational response, and after each part of the body. */
  #failIfLate() {
    const { timeout } = this.request
    if (performance.now() - this.#startedAt > Duration.toMillis(timeout)) this.#fail(noResponseWithin(timeout))
  }

  #fail(failure: TransportFailure) {
    this.#end(this.#withoutBody(failure))
    this.abort()
  }

  #withBody(text: string): Effect.Effect<TransportResponse> {
    const [status, headers] = [this.#status, this.#headers]
    const header = (name: string) => {
      const value = headers[name]
      return Array.isArray(value) ? value.join(", ") : value
    }
    return Effect.succeed({ status, header, text })
  }

  #withoutBody(failure: TransportFailure): Result {
    return isRefusal(this.#status) ? this.#withBody("") : Effect.fail(failure)
  }

  /** A JSON object is whole even if the response does not end as it should. */
  #cutOff(failure: TransportFailure): Result {
    const text = decodeUtf8(concat(this.#chunks))
    const isWhole = Option.exists(parseJson(text), Predicate.isRecord)
    return isWhole ? this.#withBody(text) : this.#withoutBody(failure)
  }

  abort() {
    this.#isAborted = true
    this.#controller?.abort(new Error("aborted"))
  }
}

/**
 * A transport without what an `HttpClient` does for each request, which takes as much CPU time as the request itself.
 *
 * The request starts before `Effect.async`, which installs its canceler a step after it has called its function: an
 * interruption between the two would leave the request running.
 */
export const undiciTransport = (dispatch: Dispatch): typeof Transport.Service =>
  Transport.of({
    send: (request) =>
      Effect.uninterruptibleMask((restore) => {
        const exchange = new Exchange(request)
        const pathAt = request.url.indexOf("/", "https://".length)
        const timeout = Duration.toMillis(request.timeout)
        dispatch(
          {
            origin: request.url.slice(0, pathAt),
            path: request.url.slice(pathAt),
            method: request.method,
            headers: request.headers,
            body: request.body ?? null,
            headersTimeout: timeout,
            bodyTimeout: timeout
          },
          exchange
        )
        return Effect.catchAllCause(restore(exchange.result), (cause) => {
          exchange.abort()
          return Effect.failCause(cause)
        })
      })
  })
