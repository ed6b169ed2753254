import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ArtaEmulator } from "effect-arta/testing"
import { createServer } from "node:http"
import type { Failure } from "../shared/errors.js"
import { SetupError } from "../shared/errors.js"

const serverLayer = (port: number) =>
  ArtaEmulator.layerServer().pipe(
    Layer.provideMerge(NodeHttpServer.layer(createServer, { host: "127.0.0.1", port })),
    Layer.mapError(
      ({ cause }) =>
        new SetupError({
          message: `Cannot serve on port ${String(port)}: ${cause instanceof Error ? cause.message : String(cause)}. Try another --port.`
        })
    )
  )

/** Serves the emulator until it is interrupted. Prints the environment variables that point a program at it. */
export const emulator = ({
  port
}: {
  readonly port: number
}): Effect.Effect<void, Failure, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const { apiUrl, signUpUrl, tokenUrl } = yield* ArtaEmulator.urls
    // A session of the emulator must not replace a real one.
    const directory = yield* fs.makeTempDirectoryScoped({ prefix: "effect-arta-" })
    const variables = {
      ARTA_API_KEY: "emulated",
      ARTA_API_URL: apiUrl,
      ARTA_SIGN_UP_URL: signUpUrl,
      ARTA_TOKEN_URL: tokenUrl,
      ARTA_TOKEN_FILE: path.join(directory, "credentials.json")
    }
    yield* Effect.forEach(Object.entries(variables), ([name, value]) =>
      Console.log(`export ${name}=${JSON.stringify(value)}`)
    )
    yield* Console.error(
      "Serving until you press Ctrl-C. Paste the lines above into the shell of the program that uses the emulator."
    )
    return yield* Effect.never
  }).pipe(Effect.scoped, Effect.provide(serverLayer(port)))
