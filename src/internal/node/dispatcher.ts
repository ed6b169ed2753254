import * as Undici from "@effect/platform-node/Undici"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { InvalidRequestError } from "../../ArtaError.js"
import type { Agent, ProxyOption } from "./agent.js"
import { agentFor } from "./agent.js"
import type { Connections } from "./connections.js"

const oldestConnection = 1_000

const destroy = ({ connections, http, https }: Agent) => {
  const destroyed = Promise.all([http.destroy(), https.destroy()])
  connections.destroy()
  return destroyed
}

/**
 * Provides an agent whose connections are at most a second old. Replaced agents end after their running requests. A new
 * connection for each submission would take five times the CPU, and ten times with TLS; this takes a tenth more.
 */
const youngAgent = (makeAgent: () => Agent) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const agents = new Set<Agent>()
      const renewed = () => {
        const agent = makeAgent()
        agents.add(agent)
        return { agent, madeAt: Date.now() }
      }
      const replace = (agent: Agent) =>
        Promise.all([agent.http.close(), agent.https.close()]).finally(() => agents.delete(agent))
      let current = renewed()
      let isDestroyed = false
      const get = () => {
        // The wall clock: the monotonic one stops while the machine sleeps.
        if (!isDestroyed && Math.abs(Date.now() - current.madeAt) > oldestConnection) {
          void replace(current.agent)
          current = renewed()
        }
        return current.agent
      }
      const destroyAll = () => {
        isDestroyed = true
        return Promise.all(Array.from(agents, destroy))
      }
      return { get, destroyAll }
    }),
    ({ destroyAll }) => Effect.promise(destroyAll)
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
const unsent = (error: Error): Error =>
  Object.assign(new Error(error.message, { cause: error }), { syscall: "connect" })

/** Follows a request from its start to its end. undici announces it just before it writes it to a connection. */
class Followed implements Undici.Dispatcher.DispatchHandler {
  #isStarted = false
  #isRunning = true

  constructor(
    readonly handler: Undici.Dispatcher.DispatchHandler,
    readonly connections: Connections
  ) {
    connections.begin()
  }

  onRequestStart(controller: Undici.Dispatcher.DispatchController, context: unknown) {
    this.#isStarted = true
    this.handler.onRequestStart?.(controller, context)
  }

  onResponseStart(...response: Parameters<Required<Undici.Dispatcher.DispatchHandler>["onResponseStart"]>) {
    this.handler.onResponseStart?.(...response)
  }

  onResponseData(controller: Undici.Dispatcher.DispatchController, chunk: Buffer) {
    this.handler.onResponseData?.(controller, chunk)
  }

  onResponseEnd(...end: Parameters<Required<Undici.Dispatcher.DispatchHandler>["onResponseEnd"]>) {
    this.#end()
    this.handler.onResponseEnd?.(...end)
  }

  onResponseError(controller: Undici.Dispatcher.DispatchController, error: Error) {
    this.#end()
    this.handler.onResponseError?.(controller, this.#isStarted ? error : unsent(error))
  }

  #end() {
    if (this.#isRunning) this.connections.end()
    this.#isRunning = false
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
      Effect.filterOrFail(
        Effect.sync(makeAgent),
        ({ https }) => isComplete(https),
        () => incomplete
      ),
      (agent) => Effect.promise(() => destroy(agent))
    )
    const once = yield* youngAgent(makeAgent)
    const dispatch: Dispatch = (options, handler) => {
      const { connections, http, https } = options.method === "GET" ? repeatable : once.get()
      const agent = String(options.origin).startsWith("http:") ? http : https
      return agent.dispatch(options, new Followed(handler, connections))
    }
    return { dispatch, dispatcher: repeatable.https.compose(() => dispatch) }
  })
