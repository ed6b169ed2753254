import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"

/** The path on one line. A query may hold a secret. */
const pathOf = (url: string): string => {
  const [path = ""] = url.split("?", 1)
  const visible = path.replace(/[^\x21-\x7e]/g, "?")
  return visible.length > 120 ? `${visible.slice(0, 120)}…` : visible
}

/** Logs one line for each request: its path, status and time, and never its body. */
export const accessLog = <E, R>(app: HttpApp.Default<E, R>): HttpApp.Default<E, R> =>
  Effect.gen(function* () {
    const { method, url } = yield* HttpServerRequest.HttpServerRequest
    const start = yield* Clock.currentTimeMillis
    return yield* Effect.onExit(app, (exit) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const outcome = Exit.isSuccess(exit)
          ? [String(exit.value.status), exit.value.headers["x-request-id"] ?? ""].join(" ").trim()
          : Exit.isInterrupted(exit)
            ? "the client left"
            : "failed"
        return Effect.logInfo(`${method} ${pathOf(url)} ${outcome} ${String(now - start)} ms`)
      })
    )
  })
