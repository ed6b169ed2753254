import { Effect } from "effect"
import { spawn } from "node:child_process"
import { text } from "node:stream/consumers"
import { fileURLToPath } from "node:url"
import { quote } from "shell-quote"
import type { Environment } from "./command.js"

export const main = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url))

/** The machine's environment without what a developer may have set for the command. */
export const plainEnvironment = () =>
  Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(ARTA_|https?_proxy$|no_proxy$|CI$|NO_COLOR$|FORCE_COLOR$)/i.test(name)
    )
  )

export interface Options {
  readonly env?: Environment
  readonly input?: string
  readonly cwd?: string
  /** Whether the command runs in a terminal. What it writes is then all in `stdout`. */
  readonly terminal?: boolean
  /** In a terminal, the command that reads what this one prints. */
  readonly into?: string
  /** What a shell does before it becomes the command. */
  readonly before?: string
}

/** What a shell runs. */
const shellCommand = (line: ReadonlyArray<string>, { before, into }: Options) =>
  [
    ...(before === undefined ? [] : [`${before};`]),
    into === undefined ? `exec ${quote(line)}` : `${quote(line)} | ${into}`
  ].join(" ")

/** Starts a program in a process of its own, which is killed at the latest when the scope closes. */
export const startProgram = (line: readonly [string, ...ReadonlyArray<string>], options: Options = {}) =>
  Effect.gen(function* () {
    const { before, cwd, env = {}, input, terminal = false } = options
    const shell = shellCommand(line, options)
    const [program, ...rest] = terminal
      ? (["script", "-qec", shell, "/dev/null"] as const)
      : before === undefined
        ? line
        : (["sh", "-c", shell] as const)
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => spawn(program, rest, { cwd, env: { ...plainEnvironment(), ...env } })),
      (running) => Effect.sync(() => running.kill("SIGKILL"))
    )
    const stdout = text(child.stdout).catch(() => "")
    const stderr = text(child.stderr).catch(() => "")
    const code = new Promise<number | string>((resolve) => {
      child.once("close", (exitCode, signal) => {
        resolve(exitCode ?? signal ?? "no code")
      })
    })
    // A command that does not read may end before all is written.
    child.stdin.on("error", () => undefined)
    if (input !== undefined || !terminal) child.stdin.end(input)
    return {
      pid: child.pid,
      ended: Effect.promise(async () => ({ code: await code, stdout: await stdout, stderr: await stderr })),
      signal: (signal: NodeJS.Signals) => Effect.sync(() => child.kill(signal)),
      stopReading: Effect.sync(() => {
        child.stdout.destroy()
        child.stderr.destroy()
      }),
      stopReadingOutput: Effect.sync(() => child.stdout.destroy()),
      press: (keys: string) => Effect.sync(() => child.stdin.write(keys)),
      /** What the command has written by the time that something in it matches. */
      wrote: (pattern: RegExp) =>
        Effect.async<string>((resume) => {
          let seen = ""
          const look = (chunk: Buffer) => {
            seen += chunk.toString()
            if (!pattern.test(seen)) return
            child.stdout.off("data", look)
            child.stderr.off("data", look)
            resume(Effect.succeed(seen))
          }
          child.stdout.on("data", look)
          child.stderr.on("data", look)
        })
    }
  })

/** Starts the command as `startProgram` does. */
export const startProcess = (args: ReadonlyArray<string>, options?: Options) =>
  startProgram([process.execPath, main, ...args], options)

/** Runs the command to its end in a process of its own. */
export const commandProcess = (args: ReadonlyArray<string>, options?: Options) =>
  Effect.scoped(Effect.flatMap(startProcess(args, options), ({ ended }) => ended))
