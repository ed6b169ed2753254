import { Effect, Schema } from "effect"
import { ArtaEmulator } from "effect-arta/testing"
import { spawn } from "node:child_process"
import { text } from "node:stream/consumers"
import { fileURLToPath } from "node:url"
import { quote } from "shell-quote"

const main = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url))

type Environment = Readonly<Record<string, string | undefined>>

/** The machine's environment without what a developer may have set for the command. */
const plainEnvironment = () =>
  Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(ARTA_|https?_proxy$|no_proxy$|CI$|NO_COLOR$|FORCE_COLOR$)/i.test(name)
    )
  )

/** How the command finds the emulator of the test, and where it keeps its session. */
export const onEmulator = (folder: string) =>
  Effect.map(ArtaEmulator.urls, ({ apiUrl, signUpUrl, tokenUrl }): Environment => ({
    ARTA_API_KEY: "a-key-of-the-tests",
    ARTA_API_URL: apiUrl,
    ARTA_SIGN_UP_URL: signUpUrl,
    ARTA_TOKEN_URL: tokenUrl,
    ARTA_TOKEN_FILE: `${folder}/credentials.json`
  }))

export interface Options {
  readonly env?: Environment
  readonly input?: string
  readonly cwd?: string
  /** Whether the command runs in a terminal. What it writes is then all in `stdout`. */
  readonly terminal?: boolean
  /** What a shell does before it becomes the command. */
  readonly before?: string
}

const afterwards = (before: string, line: ReadonlyArray<string>) =>
  ["sh", "-c", `${before}; exec ${quote(line)}`] as const

const inTerminal = (line: ReadonlyArray<string>) => ["script", "-qec", quote(line), "/dev/null"] as const

/** The command as a process of its own, killed at the latest when the scope closes. */
export const started = (
  args: ReadonlyArray<string>,
  { before, cwd, env = {}, input, terminal = false }: Options = {}
) =>
  Effect.gen(function* () {
    const line = [process.execPath, main, ...args] as const
    const [program, ...rest] = terminal ? inTerminal(line) : before === undefined ? line : afterwards(before, line)
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
      ended: Effect.promise(async () => ({ code: await code, stdout: await stdout, stderr: await stderr })),
      signal: (signal: NodeJS.Signals) => Effect.sync(() => child.kill(signal)),
      stopReading: Effect.sync(() => {
        child.stdout.destroy()
        child.stderr.destroy()
      }),
      press: (keys: string) => Effect.sync(() => child.stdin.write(keys)),
      /** What the command has written by the time that something in it matches. */
      wrote: (pattern: RegExp) =>
        Effect.async<string>((resume) => {
          let seen = ""
          const look = (chunk: Buffer) => {
            seen += chunk.toString()
            if (pattern.test(seen)) resume(Effect.succeed(seen))
          }
          child.stdout.on("data", look)
          child.stderr.on("data", look)
        })
    }
  })

/** Runs the command to its end. */
export const command = (args: ReadonlyArray<string>, options?: Options) =>
  Effect.scoped(Effect.flatMap(started(args, options), ({ ended }) => ended))

export const lines = (output: string): ReadonlyArray<string> => output.split("\n").filter((line) => line !== "")

export const decodeLines = <A, I>(schema: Schema.Schema<A, I>, output: string) =>
  Effect.forEach(lines(output), (line) => Schema.decode(Schema.parseJson(schema))(line))
