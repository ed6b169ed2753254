import { build } from "esbuild"
import type { ChildProcess } from "node:child_process"
import { fork } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import type { Question, UpstreamCounts } from "./measures.js"

const fromRoot = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const programs = fromRoot("node_modules/.cache/bench-batch")

/** Bundles the programs of the child processes: a TypeScript loader would distort the measurement. */
export const buildPrograms = () =>
  build({
    entryPoints: ["enqueue", "plain", "runner", "upstream"].map((name) => fromRoot(`bench/batch/${name}.ts`)),
    outdir: programs,
    bundle: true,
    packages: "external",
    alias: {
      "effect-arta/batch": fromRoot("src/batch/index.ts"),
      "effect-arta/node": fromRoot("src/node/index.ts"),
      "effect-arta": fromRoot("src/index.ts")
    },
    format: "esm",
    platform: "node",
    target: "node20",
    logLevel: "error"
  })

export type Environment = Readonly<Record<string, string>>

/** Waits for the next message of a child process. Fails if the process ends first. */
export const messageFrom = async <A>(child: ChildProcess): Promise<A> => {
  const settled = new AbortController()
  try {
    const [message] = (await Promise.race([
      once(child, "message", settled),
      once(child, "exit", settled).then(([code, signal]) =>
        Promise.reject(new Error(`a child process ended with ${String(code ?? signal)}`))
      )
    ])) as [A]
    return message
  } finally {
    settled.abort()
  }
}

/** Sends a message to a child process, and waits for its reply. */
export const ask = <A>(child: ChildProcess, message: string): Promise<A> => {
  const reply = messageFrom<A>(child)
  child.send(message)
  return reply
}

/** Starts a program in a new process. */
export const start = (program: string, args: ReadonlyArray<string | number>, env: Environment = {}): ChildProcess =>
  fork(`${programs}/${program}.js`, args.map(String), { execArgv: [], env: { ...env, PATH: process.env["PATH"] } })

/** Sends a signal to a process, and waits for its end. Returns how long that took, in milliseconds. */
export const end = async (child: ChildProcess, signal: NodeJS.Signals): Promise<number> => {
  const startedAt = performance.now()
  const ended = child.exitCode === null && child.signalCode === null ? once(child, "exit") : undefined
  child.kill(signal)
  await ended
  return performance.now() - startedAt
}

export interface Upstream {
  readonly environment: Environment
  readonly ask: (question: Question) => Promise<UpstreamCounts>
}

/** Starts an image service whose generations take this long, and stops it after `use`. */
export const withUpstream = async <A>(drawMillis: number, use: (upstream: Upstream) => Promise<A>): Promise<A> => {
  const child = start("upstream", [drawMillis])
  try {
    const origin = await messageFrom<string>(child)
    const environment = {
      ARTA_API_KEY: "k",
      ARTA_API_URL: `${origin}/api/v1`,
      ARTA_SIGN_UP_URL: `${origin}/sign-up`,
      ARTA_TOKEN_URL: `${origin}/token`
    }
    return await use({ environment, ask: (question) => ask<UpstreamCounts>(child, question) })
  } finally {
    child.disconnect()
  }
}
