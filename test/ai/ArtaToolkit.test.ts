import * as LanguageModel from "@effect/ai/LanguageModel"
import * as Tool from "@effect/ai/Tool"
import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Array, Effect, Either, Fiber, Layer, TestClock } from "effect"
import { ArtaToolkit } from "effect-arta/ai"
import { ArtaEmulator, Fault } from "effect-arta/testing"
import { scriptedModel, toolCall } from "../support/scriptedModel.js"
import { counts, runToEnd, withEmulator } from "../support/withEmulator.js"

/** The results of the tools that a model calls. */
const resultsOf = (...calls: ReadonlyArray<ReturnType<typeof toolCall>>) =>
  Effect.gen(function* () {
    const model = yield* scriptedModel(calls)
    const { toolResults } = yield* LanguageModel.generateText({
      prompt: "An image, please.",
      toolkit: ArtaToolkit.toolkit
    }).pipe(Effect.provide(model.layer))
    return toolResults
  })

const instant = { queueTime: 0, drawTime: 0 }

const generate = (params: Readonly<Record<string, unknown>>) =>
  Effect.map(resultsOf(toolCall("generate_image", params)), ([result]) => result)

const noImages = "No images were generated. Tell the user, and do not call generate_image again by yourself."

describe("ArtaToolkit", () => {
  it.effect("describes its tools to the model", () =>
    Effect.gen(function* () {
      const model = yield* scriptedModel([{ type: "text", text: "Hello." }])
      yield* LanguageModel.generateText({ prompt: "Hello", toolkit: ArtaToolkit.toolkit }).pipe(
        Effect.provide(model.layer)
      )
      const [asked] = yield* model.asked
      expect(asked?.tools.map(({ name }) => name)).toEqual(["generate_image", "check_generation"])
      expect(
        Tool.getJsonSchemaFromSchemaAst(ArtaToolkit.toolkit.tools.generate_image.parametersSchema.ast)
      ).toMatchObject({
        type: "object",
        properties: { prompt: { type: "string" }, n: { type: "integer" }, aspectRatio: { type: "string" } },
        required: ["prompt"]
      })
      expect(
        Tool.getJsonSchemaFromSchemaAst(ArtaToolkit.toolkit.tools.check_generation.parametersSchema.ast)
      ).toMatchObject({ required: ["recordId"] })
    }).pipe(Effect.provide(ArtaToolkit.layer), withEmulator())
  )

  it.effect("gives the model the record id, the seed and the URLs", () =>
    Effect.gen(function* () {
      const result = yield* runToEnd(
        generate({ prompt: "a fox", model: "sdxl-1.0", n: 2, seed: 7, negativePrompt: null, aspectRatio: "16:9" })
      )
      expect(result).toMatchObject({
        name: "generate_image",
        isFailure: false,
        result: {
          recordId: expect.stringContaining("record") as string,
          model: "SDXL 1.0",
          seed: 7,
          missing: 0,
          images: [
            { index: 0, url: expect.stringContaining("/0.png") as string },
            { index: 1, url: expect.stringContaining("/1.png") as string }
          ]
        }
      })
      expect(yield* counts).toMatchObject({ submit: 1 })
    }).pipe(Effect.provide(ArtaToolkit.layer), withEmulator())
  )

  it.effect("waits for a generation that was submitted before", () =>
    Effect.gen(function* () {
      const [generated] = yield* runToEnd(resultsOf(toolCall("generate_image", { prompt: "a fox" })))
      const recordId = Either.getOrThrow(Either.fromNullable(generated, () => "no result")).result.recordId
      const [checked] = yield* runToEnd(resultsOf(toolCall("check_generation", { recordId })))
      expect(checked).toMatchObject({ isFailure: false, result: { recordId, images: [{ index: 0 }] } })
      expect(yield* counts).toMatchObject({ submit: 1 })
    }).pipe(Effect.provide(ArtaToolkit.layer), withEmulator())
  )

  it.each<[string, Readonly<Record<string, unknown>>, string]>([
    ["no prompt", {}, "InvalidRequestError"],
    ["a blank prompt", { prompt: " " }, "InvalidRequestError"],
    ["a prompt that is a list", { prompt: ["a fox"] }, "InvalidRequestError"],
    ["a number as a text", { prompt: "a fox", n: "two" }, "InvalidRequestError"],
    ["too many images", { prompt: "a fox", n: 50 }, "InvalidRequestError"],
    ["an unknown model", { prompt: "a fox", model: "watercolour" }, "UnknownModelError"]
  ])("tells the model what is wrong with %s, and submits nothing", (_, params, error) =>
    Effect.gen(function* () {
      expect(yield* generate(params)).toMatchObject({
        isFailure: true,
        result: {
          error,
          message: expect.stringMatching(/must be|Did you mean/) as string,
          next: "Nothing was submitted. Correct the parameters and call generate_image again."
        }
      })
      expect(yield* counts).toMatchObject({ signUp: 0, submit: 0 })
    }).pipe(Effect.provide(ArtaToolkit.layer), withEmulator(instant), Effect.runPromise)
  )

  // fault: Poll | A tool call of a model takes too long | the model reads the record id, and that it must not pay again
  it.effect("tells the model of a generation that takes too long to check it, not to submit again", () =>
    Effect.gen(function* () {
      const result = yield* runToEnd(generate({ prompt: "a fox" }))
      expect(result).toMatchObject({
        isFailure: true,
        result: {
          error: "GenerationTimeoutError",
          recordId: expect.stringContaining("record") as string,
          next: expect.stringContaining("call check_generation with this recordId") as string
        }
      })
      expect(yield* counts).toMatchObject({ submit: 1 })
    }).pipe(Effect.provide(ArtaToolkit.layer), withEmulator({ queueTime: "1 hour" }))
  )

  it.effect.each([
    {
      failure: "sign-up gets no response",
      error: "TransportError",
      faults: Array.replicate(Fault.hang("signUp"), 100)
    },
    { failure: "the account is refused", error: "AuthError", faults: [Fault.identityError("signUp", "USER_DISABLED")] },
    { failure: "the submission is refused", error: "ResponseError", faults: [Fault.respond("submit", 402)] }
  ])("tells the model that there are no images if $failure", ({ error, faults }) =>
    Effect.gen(function* () {
      const result = yield* runToEnd(generate({ prompt: "a fox" }))
      expect(result).toMatchObject({ isFailure: true, result: { error, next: noImages } })
      expect(result?.result).not.toHaveProperty("recordId")
    }).pipe(Effect.provide(ArtaToolkit.layer), withEmulator({ faults }))
  )

  it.effect("tells the model to ask the user if a submission gets no response", () =>
    Effect.gen(function* () {
      expect(yield* runToEnd(generate({ prompt: "a fox" }))).toMatchObject({
        isFailure: true,
        result: {
          error: "SubmissionUnknownError",
          next: expect.stringMatching(/^The generation may be paid for/) as string
        }
      })
    }).pipe(Effect.provide(ArtaToolkit.layer), withEmulator({ faults: [Fault.hang("submit")] }))
  )

  // fault: Submit | The response to a submission of a tool is lost | the model reads that it may be paid for, one submission
  it.effect("tells the model not to submit again if the response is lost", () =>
    Effect.gen(function* () {
      expect(yield* runToEnd(generate({ prompt: "a fox" }))).toMatchObject({
        isFailure: true,
        result: {
          error: "SubmissionUnknownError",
          next: "The generation may be paid for. Do not call generate_image again unless the user asks for it."
        }
      })
      expect(yield* counts).toMatchObject({ submit: 1 })
    }).pipe(Effect.provide(ArtaToolkit.layer), withEmulator({ faults: [Fault.drop("submit", { handled: true })] }))
  )

  it.effect("tells the model why a generation failed", () =>
    Effect.gen(function* () {
      expect(yield* runToEnd(generate({ prompt: "a fox" }))).toMatchObject({
        isFailure: true,
        result: {
          error: "GenerationFailedError",
          message: expect.stringContaining("NSFW content") as string,
          recordId: expect.any(String) as string,
          next: noImages
        }
      })
    }).pipe(
      Effect.provide(ArtaToolkit.layer),
      withEmulator({ faults: [Fault.failGeneration("FAILED", "NSFW content")] })
    )
  )

  it.effect("gives the model no URL that holds the image itself", () =>
    Effect.gen(function* () {
      const result = yield* runToEnd(generate({ prompt: "a fox", n: 2 }))
      expect(result).toMatchObject({ result: { images: [{ index: 0 }], missing: 1 } })
      expect(JSON.stringify(result?.result)).not.toContain("data:")
    }).pipe(
      Effect.provide(ArtaToolkit.layer),
      withEmulator({
        faults: [
          Fault.respond("status", 200, {
            body: { status: "DONE", response: [{ url: "data:image/png;base64,AAAA" }, { url: null }] }
          })
        ]
      })
    )
  )

  it.effect("does not know a blank record id", () =>
    Effect.gen(function* () {
      const results = yield* resultsOf(
        toolCall("check_generation", {}),
        toolCall("check_generation", { recordId: " " })
      )
      const refused = { isFailure: true, result: { error: "InvalidRequestError" } }
      expect(results).toMatchObject([refused, refused])
    }).pipe(Effect.provide(ArtaToolkit.layer), withEmulator(instant))
  )

  it.effect("stops polling if the agent is interrupted", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.fork(generate({ prompt: "a fox" }))
      yield* TestClock.adjust("1 minute")
      yield* Fiber.interrupt(fiber)
      const { status } = yield* counts
      yield* TestClock.adjust("1 hour")
      expect(yield* counts).toMatchObject({ submit: 1, status })
    }).pipe(Effect.provide(ArtaToolkit.layer), withEmulator({ queueTime: "1 hour" }))
  )

  it.scopedLive("saves the images and gives the model their paths", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped()
      const result = yield* Effect.provide(
        generate({ prompt: "a fox", n: 2, seed: 7 }),
        ArtaToolkit.layerSaving({ directory })
      )
      expect(result).toMatchObject({
        isFailure: false,
        result: {
          images: [
            { index: 0, path: `${directory}/a-fox-7-0.png`, url: expect.any(String) as string },
            { index: 1, path: `${directory}/a-fox-7-1.png` }
          ]
        }
      })
      expect(yield* fs.readDirectory(directory)).toHaveLength(2)
    }).pipe(Effect.provide(Layer.merge(ArtaEmulator.layerArta({ ...instant, imageSize: 64 }), NodeContext.layer)))
  )

  // fault: Download | An image of a tool call cannot be saved | the model reads why, and gets the other images
  it.scopedLive("tells the model which image could not be saved", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped()
      const result = yield* Effect.provide(
        generate({ prompt: "a fox", n: 2, seed: 7 }),
        ArtaToolkit.layerSaving({ directory })
      )
      const images = result?.isFailure === false ? result.result.images : []
      expect(images.filter(({ path }) => path !== undefined)).toHaveLength(1)
      expect(images.find(({ problem }) => problem !== undefined)?.problem).toContain("not a PNG")
      expect(yield* fs.readDirectory(directory)).toHaveLength(1)
      expect(yield* counts).toMatchObject({ submit: 1 })
    }).pipe(
      Effect.provide(
        Layer.merge(
          ArtaEmulator.layerArta({
            ...instant,
            imageSize: 64,
            faults: [Fault.respond("image", 200, { body: "<h1>Sorry</h1>" })]
          }),
          NodeContext.layer
        )
      )
    )
  )
})
