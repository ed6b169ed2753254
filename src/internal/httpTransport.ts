import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { constTrue, flow, identity } from "effect/Function"
import * as FiberRef from "effect/FiberRef"
import * as Layer from "effect/Layer"
import * as MutableRef from "effect/MutableRef"
import { readText } from "./body.js"
import { diagnose, diagnoseCause, noResponseWithin } from "./diagnosis.js"
import { limitTime } from "./timeLimit.js"
import type { TransportRequest } from "./transport.js"
import { isRefusal, Transport } from "./transport.js"

const toHttpRequest = ({ body, headers, method, url }: TransportRequest) => {
  const request = HttpClientRequest.make(method)(url, { headers })
  return body === undefined ? request : HttpClientRequest.bodyText(request, body, headers["content-type"])
}

/** The transport of any platform. */
const httpTransport = (client: HttpClient.HttpClient): typeof Transport.Service =>
  Transport.of({
    send: (request) =>
      // A span of the client would hold the URL with the API key. Nothing else runs in the fiber of the request.
      FiberRef.set(HttpClient.currentTracerDisabledWhen, constTrue).pipe(
        Effect.zipRight(
          Effect.suspend(() => {
            request.onSend?.()
            return client.execute(toHttpRequest(request))
          })
        ),
        Effect.flatMap((response) =>
          readText(response, request.maxMebibytes).pipe(
            Effect.catchIf(
              () => isRefusal(response.status),
              () => Effect.succeed("")
            ),
            Effect.map((text) => ({
              status: response.status,
              header: (name: string) => response.headers[name],
              text
            }))
          )
        ),
        Effect.mapError(diagnose),
        // Some clients throw if they cannot make the request.
        Effect.catchAllDefect((defect) => Effect.fail(diagnoseCause(defect))),
        // The timeout must interrupt a hanging request even in an uninterruptible region.
        Effect.interruptible,
        (exchange) =>
          Effect.suspend(() =>
            limitTime(
              exchange,
              MutableRef.make(Duration.toMillis(request.timeout)),
              Effect.fail(noResponseWithin(request.timeout))
            )
          )
      )
  })

/** The transport over the program's client, or over a changed one. */
export const layerHttpTransport = (
  transformClient: (client: HttpClient.HttpClient) => HttpClient.HttpClient = identity
): Layer.Layer<Transport, never, HttpClient.HttpClient> =>
  Layer.effect(Transport, Effect.map(HttpClient.HttpClient, flow(transformClient, httpTransport)))
