import { NodeContext } from "@effect/platform-node"
import { ConfigProvider, Console as EffectConsole, Effect, Fiber, Layer, Logger, Schema } from "effect"
import { ArtaEmulator } from "effect-arta/testing"
import { Console } from "node:console"
import { Writable } from "node:stream"
import { run } from "../../src/cli/commandLine/run.js"
import * as PlainConsole from "../../src/cli/shared/console.js"
import { exitCodeOf } from "../../src/cli/shared/errors.js"

export type Environment = Readonly<Record<string, string | undefined>>

/** How the command finds the emulator of the test, and where it keeps its session. */
export const onEmulator = (directory: string) =>
  Effect.map(ArtaEmulator.urls, ({ apiUrl, signUpUrl, tokenUrl }): Environment => ({
    ARTA_API_KEY: "a-key-of-the-tests",
    ARTA_API_URL: apiUrl,
    ARTA_SIGN_UP_URL: signUpUrl,
    ARTA_TOKEN_URL: tokenUrl,
    ARTA_TOKEN_FILE: `${directory}/credentials.json`
  }))

export interface Options {
  readonly env?: Environment
}

/** Collects what is written. `onWrite` runs after each chunk. */
const capture = (onWrite: () => void) => {
  let text = ""
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      text += chunk.toString()
      onWrite()
      done()
    }
  })
  return { stream, text: () => text }
}

const configFrom = (env: Environment) =>
  ConfigProvider.fromMap(
    new Map(Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])))
  )

/** Replaces the console of an effect by one that writes to these streams, as Node's own would. */
const withStreams = (stdout: Writable, stderr: Writable) => {
  const unsafe = new Console({ stdout, stderr })
  return <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    EffectConsole.consoleWith((console) =>
      Effect.withConsole(effect, {
        ...console,
        unsafe,
        log: (...values: ReadonlyArray<unknown>) => Effect.sync(unsafe.log.bind(unsafe, ...values)),
        error: (...values: ReadonlyArray<unknown>) => Effect.sync(unsafe.error.bind(unsafe, ...values))
      })
    )
}

// As in main.ts, which the tests of processes cover.
const surroundings = Layer.mergeAll(
  NodeContext.layer,
  PlainConsole.layer,
  Logger.replace(Logger.defaultLogger, Logger.prettyLogger({ stderr: true }))
)

/**
 * Starts the command in this process, with a captured console and only these variables. It shares the current directory,
 * so tests pass every directory. `startProcess` starts a process instead.
 */
export const started = (args: ReadonlyArray<string>, { env = {} }: Options = {}) =>
  Effect.gen(function* () {
    const waiting = new Set<() => void>()
    const look = () => {
      for (const check of waiting) check()
    }
    const stdout = capture(look)
    const stderr = capture(look)
    const written = () => stdout.text() + stderr.text()

    const fiber = yield* run("0.0.0")(args).pipe(
      Effect.provide(surroundings),
      withStreams(stdout.stream, stderr.stream),
      Effect.withConfigProvider(configFrom(env)),
      Effect.forkScoped
    )
    return {
      ended: Effect.map(Fiber.await(fiber), (exit) => ({
        code: exitCodeOf(exit),
        stdout: stdout.text(),
        stderr: stderr.text()
      })),
      /** What SIGINT and SIGTERM do in a process. */
      interrupt: Fiber.interruptFork(fiber),
      /** What the command has written by the time that something in it matches. */
      wrote: (pattern: RegExp) =>
        Effect.async<string>((resume) => {
          const check = () => {
            if (!pattern.test(written())) return
            waiting.delete(check)
            resume(Effect.succeed(written()))
          }
          waiting.add(check)
          check()
        })
    }
  })

/** Runs the command to its end in this process. */
export const command = (args: ReadonlyArray<string>, options?: Options) =>
  Effect.scoped(Effect.flatMap(started(args, options), ({ ended }) => ended))

export const lines = (output: string): ReadonlyArray<string> => output.split("\n").filter((line) => line !== "")

export const decodeLines = <A, I>(schema: Schema.Schema<A, I>, output: string) =>
  Effect.forEach(lines(output), (line) => Schema.decode(Schema.parseJson(schema))(line))
