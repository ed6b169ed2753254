import type { HttpClientRequest } from "@effect/platform"
import { HttpClient } from "@effect/platform"
import { Clock, Effect, Random } from "effect"
import { makeResponse } from "./response.js"

/** How a service limits the requests of a token. */
export interface Limit {
  readonly kind: "token bucket" | "sliding window"
  /** Whether a refusal has a `Retry-After`. */
  readonly retryAfter: boolean
  /** Milliseconds between two requests, now. */
  readonly interval: number
}

/** A request as it reached the service. */
interface Received {
  readonly at: number
  readonly method: string
  /** The prompt or the record id. */
  readonly about: string
  readonly refused: boolean
}

// Milliseconds.
export const queue = 2_000
export const generating = 10_000
/** How long a request or a response takes, at least and at most. */
export const oneWay = [25, 75] as const

// A bucket that fills by fractions may lack some digits of a token.
const rounding = 1e-6

/** Takes the time of a request, and returns how long the service refuses requests from now. 0: it accepts this one. */
const limiter = (limit: Limit): ((now: number) => number) => {
  let tokens = 1
  let last = Number.NEGATIVE_INFINITY
  return (now) => {
    const { interval, kind } = limit
    const passed = (now - last) / interval
    if (kind === "sliding window") {
      if (passed < 1 - rounding) return last + interval - now
      last = now
      return 0
    }
    tokens = Math.min(1, tokens + passed)
    last = now
    if (tokens < 1 - rounding) return (1 - tokens) * interval
    tokens -= 1
    return 0
  }
}

interface Reply {
  readonly status: number
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string>>
}

const prompt = ({ body }: HttpClientRequest.HttpClientRequest): string | undefined =>
  body._tag === "Uint8Array"
    ? (new URLSearchParams(new TextDecoder().decode(body.body)).get("prompt") ?? "")
    : undefined

/**
 * An `HttpClient` that plays an image service with a rate limit, and the requests that it received. A generation that was
 * not submitted never ends.
 */
export const limitedService = (limit: Limit) => {
  const refusedFor = limiter(limit)
  const received: Array<Received> = []
  const acceptedAt: Array<number> = []

  const statusOf = (age: number) => {
    if (age < queue) return { status: "IN_QUEUE", response: [] }
    if (age < queue + generating) return { status: "IN_PROGRESS", response: [] }
    return { status: "DONE", response: [{ url: "https://images.example/0.png" }] }
  }

  const reply = (method: string, about: string, now: number): Reply => {
    const left = refusedFor(now)
    received.push({ at: now, method, about, refused: left > 0 })
    if (left > 0) {
      const headers = limit.retryAfter ? { "retry-after": String(Math.ceil(left / 1_000)) } : {}
      return { status: 429, body: {}, headers }
    }
    if (method === "POST") return { status: 200, body: { record_id: `record-${String(acceptedAt.push(now) - 1)}` } }
    return { status: 200, body: statusOf(now - (acceptedAt[Number(about.replace("record-", ""))] ?? now)) }
  }

  const travel = Effect.flatMap(Random.nextIntBetween(oneWay[0], oneWay[1] + 1), (millis) => Effect.sleep(millis))
  const client = HttpClient.make((request, url) =>
    Effect.gen(function* () {
      yield* travel
      const about = prompt(request) ?? url.pathname.split("/").at(-2) ?? ""
      const { body, headers = {}, status } = reply(request.method, about, yield* Clock.currentTimeMillis)
      yield* travel
      return makeResponse(request, { status, headers }, Effect.succeed(JSON.stringify(body)))
    })
  )
  return { client, received }
}
