import { HttpClient } from "@effect/platform"
import { Context, Effect, Exit, Fiber, Layer, Redacted, Scope } from "effect"
import { Auth, TokenStore } from "effect-arta"
import { layerHttpTransport } from "../../src/internal/httpTransport.js"
import { makeAuth } from "../../src/internal/identity/makeAuth.js"
import { undiciTransport } from "../../src/internal/node/undiciTransport.js"
import { Transport } from "../../src/internal/transport.js"
import { identityServer, tokenLife } from "./identityServer.js"
import type { VirtualTime } from "./controlledTime.js"
import { virtualTime } from "./controlledTime.js"
import { virtualDispatch } from "./virtualDispatch.js"

interface Process {
  readonly id: number
  readonly auth: Auth.Service
  readonly scope: Scope.CloseableScope
  /** The last token that the process returned. */
  lastToken: string
}

interface Caller {
  readonly process: Process
  readonly isForToken: boolean
  readonly fiber: Fiber.RuntimeFiber<unknown, unknown>
}

const margin = 30_000

/** An in-memory store with delays. It reports when a session is saved and when it is cleared. */
const slowStore = (store: TokenStore.Service, saved: (idToken: string) => void, cleared: () => void) =>
  TokenStore.TokenStore.of({
    ...store,
    load: Effect.zipRight(Effect.sleep(500), store.load),
    save: (credentials) =>
      Effect.sleep(1_000).pipe(
        Effect.zipRight(store.save(credentials)),
        Effect.zipRight(
          Effect.sync(() => {
            saved(Redacted.value(credentials.idToken))
          })
        )
      ),
    clear: Effect.zipRight(store.clear, Effect.sync(cleared))
  })

const built = <R>(time: VirtualTime, layer: Effect.Effect<Context.Context<R>>): Context.Context<R> => {
  const exit = time.start(layer).unsafePoll()
  if (exit === null || Exit.isFailure(exit)) throw new Error("A layer was not built at once.")
  return exit.value
}

/** How a program sends its requests to the client of a server. */
export const transports = {
  "an HttpClient": (client) => Layer.provide(layerHttpTransport(), Layer.succeed(HttpClient.HttpClient, client)),
  undici: (client, time) => Layer.succeed(Transport, undiciTransport(virtualDispatch(client, time)))
} satisfies Record<string, (client: HttpClient.HttpClient, time: VirtualTime) => Layer.Layer<Transport>>

/** Two programs that share a token store, and their identity service. Records every violation of the rules. */
export const authWorld = (seed: number, transport: keyof typeof transports) => {
  const time = virtualTime(seed)
  const violations: Array<string> = []
  const violation = (what: string) => violations.push(`${String(time.elapsed())} ms: ${what}`)
  const server = identityServer(time, violation)

  const savedAt = new Map<string, number>()
  const memory = built(time, Effect.scoped(Layer.build(TokenStore.layerMemory)))
  const store = slowStore(
    Context.get(memory, TokenStore.TokenStore),
    (idToken) => savedAt.set(idToken, time.elapsed()),
    server.abandonSessions
  )

  let started = 0
  const startProcess = (): Process => {
    started += 1
    const scope = Effect.runSync(Scope.make())
    const services = Layer.mergeAll(
      Layer.succeed(TokenStore.TokenStore, store),
      transports[transport](server.client(started), time)
    )
    const layer = Layer.orDie(Layer.provide(Layer.scoped(Auth.Auth, makeAuth({ apiKey: "key" })), services))
    const auth = Context.get(built(time, Layer.buildWithScope(layer, scope)), Auth.Auth)
    return { id: started, auth, scope, lastToken: "unknown" }
  }

  const processes: [Process, Process] = [startProcess(), startProcess()]
  const returnedTokens: Array<string> = []
  let callers: Array<Caller> = []
  const failing = new Set<Process>()

  const isUsable = (requestedAt: number) => {
    const age = time.wall() - requestedAt
    return age >= -margin && age < tokenLife - margin
  }

  const inspect = (token: string, askedAt: number, refused: string | undefined) => {
    const requestedAt = server.requestedAt(token)
    const saved = savedAt.get(token)
    if (token === refused) violation(`${token}, which the caller reported as refused`)
    if (requestedAt === undefined) return violation(`${token}, which was never issued`)
    if (saved === undefined) return violation(`${token} before it was stored`)
    // A token that was saved while the caller waited is new, even if the clock has changed since.
    if (!isUsable(requestedAt) && saved < askedAt) return violation(`${token}, which the clock says is unusable`)
    return undefined
  }

  const watched = (process: Process, refused?: string) =>
    Effect.suspend(() => {
      const askedAt = time.elapsed()
      const asked = refused === undefined ? process.auth.token : process.auth.renew(Redacted.make(refused))
      return Effect.flatMap(asked, (redacted) => {
        const token = Redacted.value(redacted)
        inspect(token, askedAt, refused)
        process.lastToken = token
        returnedTokens.push(token)
        const report = server.accepts(token) ? process.auth.accepted?.(redacted) : undefined
        return Effect.as(report ?? Effect.void, token)
      })
    }).pipe(
      Effect.tapErrorCause((cause) =>
        Effect.sync(() =>
          cause._tag === "Fail" ? failing.add(process) : violation(`a caller ended with ${cause._tag}`)
        )
      )
    )

  const isWaiting = ({ fiber }: Caller) => fiber.unsafePoll() === null

  const look = () => {
    callers = callers.filter(isWaiting)
    for (const process of failing) {
      if (callers.some((caller) => caller.process === process && caller.isForToken))
        violation("a failure that some waiting callers do not share")
    }
    failing.clear()
  }

  const pass = (millis: number) => {
    time.pass(millis, look)
  }

  const call = (process: Process, times: number, effect: Effect.Effect<unknown, unknown>, isForToken = true) => {
    const fibers = time.startAll(Array.from({ length: times }, () => effect))
    callers.push(...fibers.map((fiber) => ({ process, fiber, isForToken })))
    look()
  }

  /** Waits up to five minutes for the result of an effect. */
  const outcome = <A, E>(effect: Effect.Effect<A, E>): Exit.Exit<A, E> | null => {
    const fiber = time.start(effect)
    for (let second = 0; second < 300 && fiber.unsafePoll() === null; second++) pass(1_000)
    return fiber.unsafePoll()
  }

  return {
    violations,
    server,
    pass,
    setWall: (change: number) => {
      time.setWall(time.wall() + change)
    },

    token: (which: 0 | 1, times: number) => {
      call(processes[which], times, watched(processes[which]))
    },

    renew: (which: 0 | 1, refused: "last" | "unknown" | number, times: number) => {
      const process = processes[which]
      const name =
        refused === "last" ? process.lastToken : refused === "unknown" ? "unknown" : returnedTokens.at(-refused)
      call(process, times, watched(process, name ?? "unknown"))
    },

    /** Uses a token like the client of the image service: if the service refuses it, renews it once. */
    use: (which: 0 | 1, times: number) => {
      const process = processes[which]
      const using = Effect.flatMap(watched(process), (token) =>
        server.accepts(token) ? Effect.succeed(token) : watched(process, token)
      )
      call(process, times, using)
    },

    signOut: (which: 0 | 1) => {
      call(processes[which], 1, processes[which].auth.signOut, false)
    },

    interrupt: (nth: number) => {
      const caller = callers[nth % Math.max(callers.length, 1)]
      if (caller !== undefined) time.start(Fiber.interruptFork(caller.fiber))
      look()
    },

    /** Starts a program again while the old one still cleans up. */
    restart: (which: 0 | 1) => {
      const old = processes[which]
      for (const { fiber, process } of callers) if (process === old) time.start(Fiber.interruptFork(fiber))
      time.start(Scope.close(old.scope, Exit.void))
      processes[which] = startProcess()
      look()
    },

    /** Removes all faults. Then every waiting caller must get a result, and both programs a valid token. */
    recover: () => {
      server.heal()
      // Longer than the clock may just have been set back by: a session would seem to be new, and sign-ups would pause.
      pass(1_500_000)
      if (callers.length > 0) violation(`${String(callers.length)} callers that never get a result`)
      for (const process of processes) {
        let latest = outcome(watched(process))
        for (let i = 0; i < 4 && latest !== null && Exit.isSuccess(latest) && !server.accepts(latest.value); i++) {
          latest = outcome(watched(process, latest.value))
        }
        if (latest === null || Exit.isFailure(latest)) violation(`no token: ${String(latest)}`)
        else if (!server.accepts(latest.value)) violation("no token that the server accepts")
        Effect.runFork(Scope.close(process.scope, Exit.void))
      }
    }
  }
}

export type AuthWorld = ReturnType<typeof authWorld>
