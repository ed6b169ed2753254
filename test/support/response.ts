import type { HttpClientRequest } from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { Effect, Stream } from "effect"

type Body = HttpClientResponse.HttpClientResponse["stream"]

interface Head {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
}

/** A response whose body needs no promise, and whose headers are not validated. */
export const makeStreamResponse = (
  request: HttpClientRequest,
  head: Head,
  body: Body
): HttpClientResponse.HttpClientResponse => {
  const empty = HttpClientResponse.fromWeb(request, new Response(null, { status: head.status }))
  return Object.create(empty, {
    headers: { value: head.headers ?? {} },
    stream: { value: body }
  }) as HttpClientResponse.HttpClientResponse
}

export const makeResponse = (
  request: HttpClientRequest,
  head: Head,
  text: HttpClientResponse.HttpClientResponse["text"]
): HttpClientResponse.HttpClientResponse =>
  makeStreamResponse(request, head, Stream.unwrap(Effect.map(text, (text) => Stream.encodeText(Stream.make(text)))))
