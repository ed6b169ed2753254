import type { HttpClientRequest } from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { Effect, Stream } from "effect"

/** A response whose body needs no promise, and whose headers are not validated. */
export const makeResponse = (
  request: HttpClientRequest,
  head: { readonly status: number; readonly headers?: Readonly<Record<string, string>> },
  text: HttpClientResponse.HttpClientResponse["text"]
): HttpClientResponse.HttpClientResponse => {
  const empty = HttpClientResponse.fromWeb(request, new Response(null, { status: head.status }))
  return Object.create(empty, {
    headers: { value: head.headers ?? {} },
    stream: { value: Stream.unwrap(Effect.map(text, (text) => Stream.encodeText(Stream.make(text)))) }
  }) as HttpClientResponse.HttpClientResponse
}
