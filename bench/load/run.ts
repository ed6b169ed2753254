import type { ChildProcess } from "node:child_process"
import { fork } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout } from "node:timers/promises"
import type { Environment, Load, Mode, RequestCounts, Usage } from "./measures.js"
import { dist, packages, programs } from "./prepare.js"

/** Waits for the next message of a child process. Fails if the process exits first. */
const messageFrom = async <A>(child: ChildProcess): Promise<A> => {
  const settled = new AbortController()
  try {
    const [message] = (await Promise.race([
      once(child, "message", settled),
      once(child, "exit", settled).then(([code]) =>
        Promise.reject(new Error(`a child process exited with code ${String(code)}`))
      )
    ])) as [A]
    return message
  } finally {
    settled.abort()
  }
}

// Run built files on plain Node, because a TypeScript loader would distort the measurement. No variable of the
// environment sends a client's requests through a proxy.
const start = (program: string, args: ReadonlyArray<string>, execArgv: Array<string> = []) =>
  fork(join(programs, `${program}.js`), args, { execArgv, env: {} })

const ask = <A>(child: ChildProcess, message: string): Promise<A> => {
  const reply = messageFrom<A>(child)
  child.send(message)
  return reply
}

/** Starts a server in a new process, and stops it after `use`. */
const withServer = async <A>(
  mode: Mode,
  interval: number,
  use: (server: ChildProcess, environment: Environment) => Promise<A>
): Promise<A> => {
  const server = start("server", [mode])
  const temporary = mkdtempSync(join(tmpdir(), "load-"))
  try {
    return await use(server, { mode, server: await messageFrom(server), interval, dist, packages, temporary })
  } finally {
    server.disconnect()
    rmSync(temporary, { recursive: true })
  }
}

export interface Run extends Usage {
  readonly counts: RequestCounts
}

/** Runs a contender in one new process, against a server in another. */
export const run = (
  contender: string,
  mode: Mode,
  load: Load,
  /** The options of Node for the contender. */
  options: Array<string> = []
): Promise<Run> =>
  withServer(mode, 500, async (server, environment) => {
    const child = start("contend", [contender, JSON.stringify(load), JSON.stringify(environment)], options)
    const exit = once(child, "exit")
    const usage = await messageFrom<Usage>(child)
    // A profile is written at the exit.
    await exit
    return { ...usage, counts: await ask<RequestCounts>(server, "counts") }
  })

// All generations wait at the same time, until long after the measurement.
const heapInterval = 60_000

/** Measures the bytes of the heap that a generation retains while it waits for its next poll. */
export const retainedBytes = (contender: string, generations: number): Promise<number> =>
  withServer("endless", heapInterval, async (server, environment) => {
    const load: Load = { generations, concurrency: generations }
    const child = start("retain", [contender, JSON.stringify(load), JSON.stringify(environment)], ["--expose-gc"])
    const isQuiet = async (): Promise<boolean> => {
      const earlier = await ask<RequestCounts>(server, "counts")
      await setTimeout(1_000)
      const { polls, requests, submits } = await ask<RequestCounts>(server, "counts")
      return submits === generations && polls >= 1 && requests === earlier.requests
    }
    while (child.exitCode === null && !(await isQuiet()));
    return (await ask<number>(child, "measure")) / generations
  })
