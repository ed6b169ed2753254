import * as HttpClient from "@effect/platform/HttpClient"
import { RequestError } from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { Effect, Layer } from "effect"

export interface Seen {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: string
}

interface Reply {
  readonly status?: number
  readonly body?: unknown
  readonly headers?: Record<string, string>
}

/**
 * A reply, a connection that fails with this error code, a reply that echoes the request, or silence.
 */
export type Step = Reply | { readonly code: string; readonly syscall?: string } | { readonly echo: number } | "silence"

const bodyOf = (request: HttpClientRequest.HttpClientRequest): string =>
  request.body._tag === "Uint8Array" ? new TextDecoder().decode(request.body.body) : ""

const play = (request: HttpClientRequest.HttpClientRequest, step: Step, sent: ReadonlyArray<Seen>) => {
  if (step === "silence") return Effect.never
  if ("echo" in step) {
    const detail = JSON.stringify(sent)
    const body = { status: "FAILED", detail, error: { message: detail } }
    return Effect.succeed(HttpClientResponse.fromWeb(request, Response.json(body, { status: step.echo })))
  }
  if ("code" in step) {
    const cause = Object.assign(new Error("connection failed"), { code: step.code, syscall: step.syscall })
    return Effect.fail(new RequestError({ request, reason: "Transport", cause }))
  }
  const text = typeof step.body === "string" ? step.body : JSON.stringify(step.body ?? {})
  const response = new Response(text, { status: step.status ?? 200, headers: step.headers ?? {} })
  return Effect.succeed(HttpClientResponse.fromWeb(request, response))
}

/** An `HttpClient` with a list of steps for each URL. It repeats the last step and records the requests. */
export const scriptedClient = (scripts: Readonly<Record<string, ReadonlyArray<Step>>>) => {
  const seen: Array<Seen> = []
  const played = new Map<string, number>()

  const client = HttpClient.make((request, url) =>
    Effect.suspend(() => {
      const found = Object.entries(scripts).find(([part]) => url.href.includes(part))
      if (found === undefined) return Effect.dieMessage(`Nothing is scriptedClient for ${url.href}`)
      const [part, steps] = found
      const turn = played.get(part) ?? 0
      played.set(part, turn + 1)
      seen.push({ method: request.method, url: url.href, headers: request.headers, body: bodyOf(request) })
      const sent = seen.slice(-1)
      return play(request, steps[Math.min(turn, steps.length - 1)] ?? {}, sent)
    })
  )

  return {
    seen,
    to: (part: string): ReadonlyArray<Seen> => seen.filter(({ url }) => url.includes(part)),
    layer: Layer.succeed(HttpClient.HttpClient, client)
  }
}
