import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Either, Layer } from "effect"
import { ArtaApi, ArtaClient, Polling } from "effect-arta"
import { NodeArta } from "effect-arta/node"
import { ArtaEmulator } from "effect-arta/testing"
import { emulatorOnPort } from "../support/emulatorOnPort.js"

const settings = { polling: Polling.fixed("20 millis") }

const fastEmulator = emulatorOnPort({ queueTime: 0, drawTime: 0 })

const closing = (client: ArtaClient.ArtaClient) =>
  Effect.acquireRelease(Effect.succeed(client), () => Effect.promise(() => client.close()))

describe("The images of a promise client", () => {
  it.scopedLive("are loaded by the client of make, and not saved", () =>
    Effect.gen(function* () {
      const client = yield* closing(ArtaClient.make({ apiKey: "k", ...(yield* ArtaEmulator.urls) }))
      yield* Effect.promise(async () => {
        const generation = await client.run({ prompt: "a cat", n: 2 }, settings)
        const loaded = await client.load(generation)
        expect(loaded.map(Either.map(({ image, mediaType }) => ({ image, mediaType })))).toEqual(
          generation.images.map((image) => Either.right({ image, mediaType: "image/png" }))
        )
        await expect(client.save(generation, { directory: "images" })).rejects.toMatchObject({
          _tag: "MissingServiceError",
          service: "@effect/platform/FileSystem"
        })
      })
    }).pipe(Effect.provide(fastEmulator))
  )

  it.scopedLive("are saved by the client of NodeArta", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped()
      const urls = yield* ArtaEmulator.urls
      const client = yield* closing(
        NodeArta.client({ apiKey: "k", ...urls, tokenFile: `${directory}/credentials.json` })
      )
      const saved = yield* Effect.promise(async () =>
        client.save(await client.run({ prompt: "a cat", n: 2, seed: 7 }, settings), {
          directory: `${directory}/images`
        })
      )
      expect(saved.map(({ result }) => result)).toEqual(
        [0, 1].map((index) => Either.right(`${directory}/images/a-cat-7-${String(index)}.png`))
      )
      expect(yield* fs.readDirectory(`${directory}/images`)).toHaveLength(2)
    }).pipe(Effect.provide(Layer.merge(fastEmulator, NodeContext.layer)))
  )

  it.scopedLive("need HttpClient, which a layer of only ArtaApi does not provide", () =>
    Effect.gen(function* () {
      const api = Layer.succeed(ArtaApi.ArtaApi, yield* ArtaApi.ArtaApi)
      const client = yield* closing(ArtaClient.fromLayer(api))
      yield* Effect.promise(async () => {
        const source = await client.run({ prompt: "a cat" }, settings)
        const error = await client.load(source).catch((error: unknown) => error)
        expect(error).toBeInstanceOf(ArtaClient.MissingServiceError)
        expect(String(error)).toContain("does not provide @effect/platform/HttpClient")
      })
    }).pipe(Effect.provide(ArtaEmulator.layerArta({ queueTime: 0, drawTime: 0 })))
  )

  it.scopedLive("are not loaded after an abort", () =>
    Effect.gen(function* () {
      const client = yield* closing(ArtaClient.make({ apiKey: "k", ...(yield* ArtaEmulator.urls) }))
      yield* Effect.promise(async () => {
        const source = await client.run({ prompt: "a cat" }, settings)
        const reason = new Error("No longer needed.")
        await expect(client.load(source, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
      })
    }).pipe(Effect.provide(fastEmulator))
  )
})
