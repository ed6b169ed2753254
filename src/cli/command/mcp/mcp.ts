import type * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import { homedir } from "node:os"
import type { Failure } from "../../shared/errors.js"
import { explain } from "../../shared/errors.js"
import { services } from "../../shared/layers.js"
import type { ServiceOptions } from "../../shared/options.js"
import * as Generations from "./generations.js"
import { serveOverHttp } from "./http.js"
import { makeServer } from "./server.js"
import { serveOverStdio } from "./stdio.js"
import type { Tools } from "./tools.js"

export interface Input extends ServiceOptions {
  readonly directory: Option.Option<string>
  readonly http: Option.Option<number>
}

// Clients give up after 60 seconds.
const patience = Duration.seconds(45)

// A client that has left waits no longer, but its images are paid for.
const farewell = Duration.seconds(60)

/** Desktop programs start the command in any directory, and no shell replaces `~` in their settings. */
const directoryOf = ({ directory }: Input) =>
  Effect.map(Path.Path, (path) =>
    Option.match(directory, {
      onNone: () => path.join(homedir(), "effect-arta"),
      onSome: (given) => path.resolve(given.replace(/^~(?=$|[\\/])/, () => homedir()))
    })
  )

/**
 * What the tools say if nothing can be generated. The server starts even so, because a client shows no other message.
 */
const explainSetup = (failure: Failure): string =>
  `${explain(failure)} Set it where this server is configured, in "env" or "args", and start the server again. Nothing was submitted.`

type Platform = FileSystem.FileSystem | Path.Path

/** Starts what the tools share. */
export const makeTools = (
  input: Input,
  wait: Duration.DurationInput = patience
): Effect.Effect<Tools, never, Platform | Scope.Scope> =>
  Effect.gen(function* () {
    const directory = yield* directoryOf(input)
    const built = yield* Effect.either(Layer.build(services(input)))
    const runtime = yield* Effect.runtime<Platform>()
    const generations = yield* Either.match(built, {
      onLeft: (failure) => Effect.as(Console.error(explain(failure)), Either.left(explainSetup(failure))),
      onRight: (context) =>
        Generations.make({ ...input, directory, patience: wait }).pipe(
          Effect.provide(context),
          Effect.map(Either.right)
        )
    })
    return { directory, generations, run: (effect, signal) => Runtime.runPromise(runtime)(effect, { signal }) }
  })

const awaitIdle = ({ generations }: Tools) =>
  Either.match(generations, {
    onLeft: () => Effect.void,
    onRight: ({ idle }) => Effect.asVoid(Effect.timeoutOption(idle, farewell))
  })

/**
 * Serves the tools to MCP clients. Over standard input and output, standard output has nothing but protocol messages.
 */
export const mcp = (input: Input, version: string): Effect.Effect<void, Failure, Platform> =>
  Effect.gen(function* () {
    const tools = yield* makeTools(input)
    const make = () => makeServer(tools, version)
    if (Option.isSome(input.http)) return yield* serveOverHttp(make, input.http.value)
    yield* serveOverStdio(make, { input: process.stdin, output: process.stdout })
    yield* awaitIdle(tools)
  }).pipe(Effect.scoped)
