import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type { Secrets } from "./serviceText.js"

export interface TransportRequest {
  readonly method: "GET" | "POST"
  /** Normalized. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | undefined
  /** How long the exchange may take, until the response is read to its end. */
  readonly timeout: Duration.Duration
  /** How large the body of the response may be, decompressed or not. */
  readonly maxMebibytes: number
  /** Runs just before the first byte of the request may be written to a connection. */
  readonly onSend?: (() => void) | undefined
}

/** A response whose body was read to its end. */
export interface TransportResponse {
  readonly status: number
  /** Reads a header by its name in lower case. */
  readonly header: (name: string) => string | undefined
  readonly text: string
}

/** A response, and what it may repeat of the request. */
export interface BufferedResponse extends TransportResponse {
  readonly secrets: Secrets
}

/** Why no response arrived. */
export interface TransportFailure {
  readonly reason: string
  /** What the client or the server says of it, which may hold secrets of the request. */
  readonly detail?: string | undefined
  /** Whether a retry cannot help. */
  readonly isPermanent?: boolean | undefined
  /** Whether any byte of the request may have been written to a connection. */
  readonly sent: boolean
}

/** Sends requests, each of them once. Follows no redirect, and sends no trace ids. */
export class Transport extends Context.Tag("effect-arta/internal/Transport")<
  Transport,
  {
    /** Ends within the request's timeout even in an uninterruptible region. An interruption aborts the request. */
    readonly send: (request: TransportRequest) => Effect.Effect<TransportResponse, TransportFailure>
  }
>() {}

/** Whether the server has refused a request, so that nothing depends on the rest of its response. */
export const isRefusal = (status: number): boolean => status >= 400 && status < 500
