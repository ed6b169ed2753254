import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Stream from "effect/Stream"
import type { ApiError } from "./apiError.js"
import { toBody } from "./apiError.js"
import { requestIdHeader } from "./requestIdHeader.js"

/** An event without a name, as chat completions have it. */
export const data = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`

/** OpenAI's clients hand every event to their program, with its type in the data. */
export const event = (value: { readonly type: string }): string => `event: ${value.type}\n${data(value)}`

export const errorEvent = (error: ApiError): string => event({ type: "error", ...toBody(error) })

// Every client skips a comment.
const keepAlive = Stream.drop(Stream.tick("15 seconds"), 1).pipe(Stream.map(() => ": keep-alive\n\n"))

/** Sends events as they come, and a comment now and then, so that no proxy closes a silent connection. */
export const streamEvents = (
  events: Stream.Stream<string>,
  recordId: string | undefined
): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.stream(Stream.encodeText(Stream.merge(events, keepAlive, { haltStrategy: "left" })), {
    contentType: "text/event-stream; charset=utf-8",
    headers: {
      "cache-control": "no-store",
      "x-accel-buffering": "no",
      ...requestIdHeader(recordId)
    }
  })
