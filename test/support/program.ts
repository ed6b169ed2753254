import { Deferred, Effect, Queue } from "effect"
import { build } from "esbuild"
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { createInterface } from "node:readline"

type ProgramName =
  | "saveWithoutEnd"
  | "askForToken"
  | "askForSharedToken"
  | "drawAndSave"
  | "submitTwice"
  | "buildLayer"
  | "learnDurations"
  | "submitOver"
  | "runBatch"

/**
 * Bundles a test program into one file, so that it starts fast. Replaces the packages of `alias` by files. Returns the
 * path of the file.
 */
export const bundleProgram = async (name: ProgramName, directory: string, alias: Record<string, string> = {}) => {
  const outfile = `${directory}/${name}.cjs`
  await build({
    entryPoints: [fileURLToPath(new URL(`./programs/${name}.ts`, import.meta.url))],
    outfile,
    bundle: true,
    alias,
    // Native, so it cannot be part of a bundle.
    external: ["better-sqlite3"],
    minify: true,
    platform: "node",
    format: "cjs",
    logLevel: "error"
  })
  return outfile
}

/** Starts a program in a new process, which is killed when the scope closes. */
export const startProgram = (bundle: string, ...args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => spawn(process.execPath, [bundle, ...args], { stdio: ["pipe", "pipe", "inherit"] })),
      (running) => Effect.sync(() => running.kill("SIGKILL"))
    )
    const ended = yield* Deferred.make<never, string>()
    const lines = yield* Queue.unbounded<string>()
    child.once("close", (code, signal) => {
      Deferred.unsafeDone(ended, Effect.fail(`ended with ${String(signal ?? code)}`))
    })
    createInterface(child.stdout).on("line", (line) => {
      Queue.unsafeOffer(lines, line)
    })
    return {
      /** The next line of its output. Fails if the process has ended. */
      nextLine: Effect.raceFirst(Queue.take(lines), Deferred.await(ended)),
      /** Waits for the end of the process and returns its exit code or signal. */
      ended: Effect.flip(Deferred.await(ended)),
      signal: (signal: "SIGINT" | "SIGTERM" | "SIGSTOP" | "SIGCONT") => Effect.sync(() => child.kill(signal)),
      say: (line: string) => Effect.sync(() => child.stdin.write(`${line}\n`)),
      /** Kills the process and returns the unread lines of its output. */
      kill: Effect.sync(() => child.kill("SIGKILL")).pipe(
        Effect.zipRight(Effect.flip(Deferred.await(ended))),
        Effect.zipRight(Queue.takeAll(lines))
      )
    }
  })
