import type * as FileSystem from "@effect/platform/FileSystem"
import * as HttpServer from "@effect/platform/HttpServer"
import type * as Path from "@effect/platform/Path"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { Arta, TokenStore } from "effect-arta"
import { ArtaServer } from "effect-arta/server"
import { createServer } from "node:http"
import type { Failure } from "../../shared/errors.js"
import { UsageError } from "../../shared/errors.js"
import { servicesWithoutJournal } from "../../shared/layers.js"
import { withLogfmt } from "../../shared/logfmt.js"
import type { ServerOptions } from "../../shared/serverOptions.js"
import { isLoopback, keyFor } from "./key.js"
import { listen } from "./listen.js"

/** The emulator on a port of its own: a chat shows the URLs of the images, which a browser must be able to load. */
const emulatorLayer = Effect.promise(() => import("effect-arta/testing")).pipe(
  Effect.map(({ ArtaEmulator }) =>
    Layer.unwrapEffect(Effect.map(ArtaEmulator.urls, (urls) => Arta.layer({ apiKey: "emulated", ...urls }))).pipe(
      Layer.provideMerge(Layer.merge(TokenStore.layerMemory, NodeHttpClient.layerUndici)),
      Layer.provide(
        Layer.provideMerge(
          ArtaEmulator.layerServer(),
          NodeHttpServer.layerServer(createServer, { host: "127.0.0.1", port: 0 })
        )
      ),
      Layer.orDie
    )
  ),
  Layer.unwrapEffect
)

const isOrigin = (text: string): boolean => text === "null" || /^[a-z][a-z\d+.-]*:\/\/[^/?#\s]+$/i.test(text)

const parseCors = (cors: ServerOptions["cors"]): Either.Either<"*" | ReadonlyArray<string>, UsageError> => {
  if (Option.isNone(cors)) return Either.right([])
  const origins = cors.value.split(",").map((text) => text.trim().replace(/\/$/, ""))
  if (origins.includes("*")) return Either.right("*")
  return origins.every(isOrigin)
    ? Either.right(origins)
    : Either.left(new UsageError({ message: "--cors must be origins such as https://chat.example.com, or *." }))
}

/** The origin of the server, as this machine reaches it. */
const origin = HttpServer.addressWith((address) => {
  if (address._tag === "UnixAddress") return Effect.dieMessage("A server on a port has a port.")
  // platform-node reports `::` as `0.0.0.0`.
  const name = address.hostname === "0.0.0.0" ? "127.0.0.1" : address.hostname
  return Effect.succeed(`http://${name.includes(":") ? `[${name}]` : name}:${String(address.port)}`)
})

/** Serves OpenAI's API for images until it is interrupted. Prints the variables that OpenAI's clients read. */
export const serve = (options: ServerOptions): Effect.Effect<void, Failure, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const { chat, emulator, host, port, timeout } = options
    const cors = yield* parseCors(options.cors)
    const key = yield* keyFor(host, options.key)
    const ui = Option.getOrElse(options.ui, () => isLoopback(host))
    const server = ArtaServer.layer({ key: key.value, timeout: Duration.seconds(timeout), cors, chat, ui })
    const announce = Effect.gen(function* () {
      yield* Console.log(`export OPENAI_BASE_URL="${yield* origin}/v1"`)
      if (key.isNew) yield* Console.log(`export OPENAI_API_KEY="${Redacted.value(key.value)}"`)
      yield* Console.error(
        `Serving until you press Ctrl-C. Clients of OpenAI use this base URL and ${key.isNew ? "this" : "your"} key.`
      )
      // Only a key that was printed above: no server and no log sees the fragment of a URL.
      const fragment = key.isNew ? `#key=${Redacted.value(key.value)}` : ""
      if (ui) yield* Console.error(`A page to generate images: ${yield* origin}/${fragment}`)
      return yield* Effect.never
    })
    return yield* announce.pipe(
      Effect.provide(
        server.pipe(
          Layer.provideMerge(listen({ host, port })),
          Layer.provide(emulator ? emulatorLayer : servicesWithoutJournal(options))
        )
      ),
      withLogfmt
    )
  })
