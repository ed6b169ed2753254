import type { ImageModelV3CallOptions, ImageModelV3ProviderMetadata } from "@ai-sdk/provider"
import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import type { GenerateRequest } from "effect-arta"
import { createArta, ImagesNotReceivedError } from "effect-arta/ai-sdk"
import { ArtaEmulator, Fault } from "effect-arta/testing"
import { afterEach, vi } from "vitest"
import { emulatorOnPort } from "../support/emulatorOnPort.js"
import { counts } from "../support/withEmulator.js"
import { callOptions, makeProvider } from "../support/artaProvider.js"

type World = Awaited<ReturnType<typeof makeProvider>>

const worlds: Array<World> = []

const start = async (...args: Parameters<typeof makeProvider>) => {
  const world = await makeProvider(...args)
  worlds.push(world)
  return {
    ...world,
    generate: (options: Partial<ImageModelV3CallOptions> = {}, model = "flux") =>
      world.arta.image(model).doGenerate(callOptions(options)),
    fail: async (options: Partial<ImageModelV3CallOptions> = {}, model = "flux"): Promise<unknown> =>
      world.arta
        .image(model)
        .doGenerate(callOptions(options))
        .then(
          () => "no error",
          (error: unknown) => error
        )
  }
}

const imagesOf = (metadata: ImageModelV3ProviderMetadata | undefined) => metadata?.["arta"]?.images

const decodeMetadata = Schema.decodeUnknownSync(Schema.Array(Schema.Struct({ recordId: Schema.String })))

describe("A provider of the AI SDK", () => {
  afterEach(() => Promise.all(worlds.splice(0).map(({ stop }) => stop())))

  it("generates up to eight images in one submission, and describes each of them", async () => {
    const { arta, counts, generate } = await start()
    expect(arta.image("flux")).toMatchObject({ specificationVersion: "v3", provider: "arta", maxImagesPerCall: 8 })
    const result = await generate({ n: 8, seed: 7 })
    expect(result.images).toHaveLength(8)
    expect(String.fromCharCode(...new Uint8Array(result.images[0] as Uint8Array).subarray(1, 4))).toBe("PNG")
    expect(result).toMatchObject({ warnings: [], response: { modelId: "Flux", headers: undefined } })
    const images = imagesOf(result.providerMetadata)
    expect(images).toHaveLength(8)
    expect(images?.[2]).toEqual({
      recordId: expect.stringContaining("record") as string,
      seed: 7,
      index: 2,
      url: expect.stringContaining("/2.png") as string
    })
    expect(await counts()).toMatchObject({ submit: 1 })
  })

  it("passes the options of the call on", async () => {
    const requests: Array<GenerateRequest.GenerateRequest> = []
    const { generate } = await start({}, {}, (request) => requests.push(request))
    await generate(
      {
        n: 2,
        seed: 7,
        aspectRatio: "16:9",
        headers: { "user-agent": "ai/7" },
        providerOptions: {
          arta: { negativePrompt: "fog", steps: 40, guidanceScale: 5 },
          openai: { style: "vivid" }
        }
      },
      "sdxl-1.0"
    )
    expect(requests).toMatchObject([
      {
        prompt: "a fox",
        model: "SDXL 1.0",
        n: 2,
        seed: 7,
        aspectRatio: "16:9",
        negativePrompt: "fog",
        numInferenceSteps: 40,
        guidanceScale: 5
      }
    ])
  })

  it("tells which seed was used if the call has none", async () => {
    const { generate } = await start()
    const first = imagesOf((await generate()).providerMetadata)
    expect(first).toMatchObject([{ seed: expect.any(Number) as number }])
  })

  it("warns of options without an effect", async () => {
    const { counts, generate } = await start()
    const file = { type: "url", url: "https://images.test/fox.png" } as const
    const { images, warnings } = await generate({ size: "1024x1024", files: [file], mask: file })
    expect(images).toHaveLength(1)
    const details = "ARTA generates images from a prompt only. The images that were passed had no effect."
    expect(warnings).toEqual([
      { type: "unsupported", feature: "size", details: "ARTA takes an aspect ratio: use aspectRatio instead." },
      { type: "unsupported", feature: "files", details },
      { type: "unsupported", feature: "mask", details }
    ])
    expect((await generate({ files: [] })).warnings).toEqual([])
    expect(await counts()).toMatchObject({ submit: 2 })
  })

  it.each<[string, Partial<ImageModelV3CallOptions>, string]>([
    ["no prompt", { prompt: undefined }, "The option prompt is"],
    ["too many images", { n: 9 }, "The option n is 9"],
    ["a negative seed", { seed: -1 }, "The option seed is -1"],
    ["a wrong ratio", { aspectRatio: "0:9" }, "The option aspectRatio is"],
    ["no steps", { providerOptions: { arta: { steps: 0 } } }, "The option providerOptions.arta.steps is 0"],
    ["a text", { providerOptions: { arta: { guidanceScale: "7" } } }, "providerOptions.arta.guidanceScale"],
    ["a number", { providerOptions: { arta: { negativePrompt: 7 } } }, "providerOptions.arta.negativePrompt"],
    [
      "a misspelled option",
      { providerOptions: { arta: { stepz: 7 } } },
      "The option providerOptions.arta.stepz is unknown, but must be one of negativePrompt, steps, guidanceScale."
    ],
    [
      "options that are no object",
      { providerOptions: { arta: null as never } },
      "The option providerOptions.arta is something else, but must be an object with negativePrompt, steps, guidanceScale."
    ]
  ])("refuses %s before anything is sent", async (_, options, message) => {
    const { counts, fail } = await start()
    const error = await fail(options)
    expect(error).toMatchObject({ _tag: "InvalidRequestError" })
    expect(String(error)).toContain(message)
    expect(await counts()).toMatchObject({ signUp: 0, submit: 0 })
  })

  it("refuses an unknown model before anything is sent, and suggests others", async () => {
    const { counts, fail } = await start()
    expect(await fail({}, "watercolour")).toMatchObject({ _tag: "UnknownModelError" })
    expect(await counts()).toMatchObject({ signUp: 0, submit: 0 })
  })

  it("has image models only", async () => {
    const { arta } = await start()
    const asks = "but must be an image model: ARTA has no other."
    expect(() => arta.languageModel("gpt-5")).toThrow(`The option model is the language model "gpt-5", ${asks}`)
    expect(() => arta.embeddingModel("ada")).toThrow(`The option model is the embedding model "ada", ${asks}`)
    expect(arta.specificationVersion).toBe("v3")
    expect(arta.imageModel("flux").modelId).toBe("flux")
  })

  it("is not started by a call that was aborted before", async () => {
    const { counts, fail } = await start()
    const reason = new Error("No longer needed.")
    expect(await fail({ abortSignal: AbortSignal.abort(reason) })).toBe(reason)
    expect(await counts()).toMatchObject({ submit: 0 })
  })

  // fault: Process | A call of the AI SDK is aborted after the submission | an `AbortError` that names the record id
  it("names the generation if the call is aborted after the submission", async () => {
    const abort = new AbortController()
    const { client, counts, fail } = await start({ queueTime: "200 millis" }, {}, () => {
      abort.abort()
    })
    const error = await fail({ abortSignal: abort.signal })
    expect(error).toBeInstanceOf(ImagesNotReceivedError)
    expect(error).toMatchObject({ name: "AbortError", cause: abort.signal.reason as unknown })
    const { message, recordId } = error as ImagesNotReceivedError
    expect(message).toContain(`accepted the generation ${recordId}`)
    expect((await client.resume(recordId)).images).toHaveLength(1)
    expect(await counts()).toMatchObject({ submit: 1 })
  })

  it("names the generation if the provider is closed after the submission", async () => {
    const { arta, fail } = await start({ queueTime: "1 hour" }, {}, () => void arta.close())
    const error = await fail()
    expect(error).toMatchObject({ _tag: "ImagesNotReceivedError", cause: { _tag: "ClientClosedError" } })
    expect(await fail()).toMatchObject({ _tag: "ClientClosedError" })
  })

  // fault: Download | A download fails after a call of the AI SDK was paid for | it is repeated, and one submission is made
  it("repeats a download that failed", async () => {
    const { counts, generate } = await start({ faults: [Fault.respond("image", 503), Fault.drop("image")] })
    expect((await generate({ n: 2 })).images).toHaveLength(2)
    expect(await counts()).toMatchObject({ submit: 1, image: 4 })
  })

  const page = Fault.respond("image", 200, { body: "<h1>Sorry</h1>" })

  // fault: Download | One image of a call of the AI SDK cannot be downloaded | the others, and a warning with the record id
  it("returns the images that came, and warns of the others", async () => {
    const { generate } = await start({ faults: [page] })
    const { images, providerMetadata, warnings } = await generate({ n: 3 })
    expect(images).toHaveLength(2)
    const metadata = decodeMetadata(imagesOf(providerMetadata))
    expect(metadata).toHaveLength(2)
    expect(warnings).toMatchObject([
      { type: "other", message: expect.stringContaining(metadata[0]?.recordId ?? "none") as string }
    ])
  })

  it("warns about missing images, and leaves data: URLs out of the metadata", async () => {
    const dot = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    const response = [{ url: `data:image/png;base64,${dot}` }, { url: null }]
    const { generate } = await start({ faults: [Fault.respond("status", 200, { body: { status: "DONE", response } })] })
    const { providerMetadata, warnings } = await generate({ n: 3 })
    const [first] = decodeMetadata(imagesOf(providerMetadata))
    expect(warnings).toEqual([
      { type: "other", message: `The generation ${String(first?.recordId)} delivered 1 of 3 images.` }
    ])
    expect(imagesOf(providerMetadata)?.[0]).not.toHaveProperty("url")
  })

  // fault: Download | No image of a call of the AI SDK can be downloaded | an error with the record id, never an empty result
  it("fails if no image could be downloaded, and names the generation", async () => {
    const { counts, fail } = await start({ faults: [page, page] })
    const error = await fail({ n: 2 })
    expect(error).toMatchObject({ _tag: "ImagesNotReceivedError", cause: { _tag: "DownloadError" } })
    expect(String(error)).toContain((error as ImagesNotReceivedError).recordId)
    expect(await counts()).toMatchObject({ submit: 1 })
  })

  // fault: Submit | The response to a submission of the AI SDK is lost | `SubmissionUnknownError`, one submission
  it("does not submit again if the response is lost", async () => {
    const { counts, fail } = await start({ faults: [Fault.drop("submit", { handled: true })] })
    expect(await fail()).toMatchObject({ _tag: "SubmissionUnknownError" })
    expect(await counts()).toMatchObject({ submit: 1 })
  })

  it("says why a generation failed", async () => {
    const { fail } = await start({ faults: [Fault.failGeneration("FAILED", "NSFW content")] })
    const error = await fail()
    expect(error).toMatchObject({ _tag: "GenerationFailedError", recordId: expect.any(String) as string })
    expect(String(error)).toContain("NSFW content")
  })

  it.scopedLive("takes the options of NodeArta.client", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const tokenFile = `${yield* fs.makeTempDirectoryScoped()}/credentials.json`
      const arta = createArta({ apiKey: "k", tokenFile, ...(yield* ArtaEmulator.urls) })
      yield* Effect.addFinalizer(() => Effect.promise(arta.close))
      const result = yield* Effect.promise(async () => arta.image("flux").doGenerate(callOptions()))
      expect(result.images).toHaveLength(1)
      expect(yield* fs.exists(tokenFile)).toBe(true)
      expect(yield* counts).toMatchObject({ signUp: 1, submit: 1 })
    }).pipe(Effect.provide(Layer.merge(emulatorOnPort({ queueTime: 0, drawTime: 0 }), NodeContext.layer)))
  )

  it("says which API key is missing", async () => {
    vi.stubEnv("ARTA_API_KEY", undefined)
    const arta = createArta()
    const error = await arta
      .image("flux")
      .doGenerate(callOptions())
      .then(
        () => "no error",
        (error: unknown) => error
      )
    vi.unstubAllEnvs()
    expect(error).toMatchObject({ _tag: "AuthError", reason: "API_KEY_MISSING" })
    await arta.close()
  })
})
