import * as Undici from "@effect/platform-node/Undici"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { InvalidRequestError } from "../../ArtaError.js"
import type { ProxyOption } from "./agent.js"
import { agentFor } from "./agent.js"

const oldestConnection = 1_000

/**
 * Provides an agent whose connections are at most a second old. Replaced agents end after their running requests. A new
 * connection for each submission would take five times the CPU, and ten times with TLS; this takes a tenth more.
 */
const youngAgent = (makeAgent: () => Undici.Dispatcher) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const renewed = () => ({ agent: makeAgent(), madeAt: Date.now() })
      let current = renewed()
      const get = () => {
        // The wall clock: the monotonic one stops while the machine sleeps.
        if (Math.abs(Date.now() - current.madeAt) > oldestConnection) {
          void current.agent.close()
          current = renewed()
        }
        return current.agent
      }
      return { get, destroy: () => current.agent.destroy() }
    }),
    ({ destroy }) => Effect.promise(destroy)
  )

// Bun has a stub of undici. Bundlers may drop what adds `request` to the agents, unless something of the same module
// is used.
const isComplete = (agent: Undici.Dispatcher) =>
  typeof Undici.request === "function" && typeof agent.request === "function"

const incomplete = new InvalidRequestError({
  field: "layer",
  value: "NodeArta.layer",
  allowed: "Arta.layer with FetchHttpClient.layer, because undici does not work here"
})

/** Starts requests through undici. */
export type Dispatch = Undici.Dispatcher["dispatch"]

/** An error that came before any byte of the request was written, in the form of a failed connection. */
export const unsent = (error: Error): Error =>
  Object.assign(new Error(error.message, { cause: error }), {
    ...("code" in error && { code: error.code }),
    syscall: "connect"
  })

/** undici announces a request just before it writes it to an established connection. */
const markUnsent = (handler: Undici.Dispatcher.DispatchHandler): Undici.Dispatcher.DispatchHandler => {
  let isStarted = false
  return {
    onRequestStart: (controller, context) => {
      isStarted = true
      handler.onRequestStart?.(controller, context)
    },
    onResponseStart: (...response) => handler.onResponseStart?.(...response),
    onResponseData: (...data) => handler.onResponseData?.(...data),
    onResponseEnd: (...end) => handler.onResponseEnd?.(...end),
    onResponseError: (controller, error) => handler.onResponseError?.(controller, isStarted ? error : unsent(error))
  }
}

/**
 * Requests through undici. Only requests that are safe to repeat use connections for long: a server may have closed a
 * connection while this process or machine was suspended, and a submission on it would be in doubt.
 */
export const makeDispatch = (
  proxy: ProxyOption
): Effect.Effect<
  { readonly dispatch: Dispatch; readonly dispatcher: Undici.Dispatcher },
  InvalidRequestError,
  Scope.Scope
> =>
  Effect.gen(function* () {
    const makeAgent = yield* agentFor(proxy)
    const repeatable = yield* Effect.acquireRelease(
      Effect.filterOrFail(Effect.sync(makeAgent), isComplete, () => incomplete),
      (agent) => Effect.promise(() => agent.destroy())
    )
    const once = yield* youngAgent(makeAgent)
    const dispatch: Dispatch = (options, handler) =>
      (options.method === "GET" ? repeatable : once.get()).dispatch(options, handler)
    const dispatcher = repeatable.compose(() => (options, handler) => dispatch(options, markUnsent(handler)))
    return { dispatch, dispatcher }
  })
