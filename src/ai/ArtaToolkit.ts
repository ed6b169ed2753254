/**
 * Tools with which a language model of `@effect/ai` generates images.
 *
 * `generate_image` submits a generation and waits for its images. `check_generation` waits for one that was submitted
 * before, by its record id. A failure is a result that the model reads: it says what happened, the record id, and what
 * to do next, so that the model pays for no image twice.
 *
 * @example
 * ```ts
 * import { LanguageModel } from "@effect/ai"
 * import { ArtaToolkit } from "effect-arta/ai"
 * import { NodeArta } from "effect-arta/node"
 * import { Effect } from "effect"
 *
 * export const program = LanguageModel.generateText({
 *   prompt: "Draw a lighthouse at dawn, in a wide format.",
 *   toolkit: ArtaToolkit.toolkit
 * }).pipe(
 *   Effect.map(({ toolResults }) => toolResults),
 *   Effect.provide([ArtaToolkit.layer, NodeArta.layerConfig()])
 * )
 * ```
 *
 * @since 0.1.0
 */
import * as Toolkit from "@effect/ai/Toolkit"
import * as Tool from "@effect/ai/Tool"
import type * as FileSystem from "@effect/platform/FileSystem"
import type * as HttpClient from "@effect/platform/HttpClient"
import type * as Path from "@effect/platform/Path"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as Record from "effect/Record"
import * as Schema from "effect/Schema"
import * as Arta from "../Arta.js"
import * as ArtaApi from "../ArtaApi.js"
import type { Generation } from "../Generation.js"
import * as ImageFile from "../ImageFile.js"
import { toToolFailure } from "./internal/toolFailure.js"

/**
 * An image in the result of a tool: its URL at the service, and its file if `layerSaving` saved it. `problem` says why
 * there is no file.
 *
 * @since 0.1.0
 * @category models
 */
export const ToolImage = Schema.Struct({
  index: Schema.Number,
  url: Schema.optional(Schema.String),
  path: Schema.optional(Schema.String),
  problem: Schema.optional(Schema.String)
})

/**
 * The result of a tool. `model` and `seed` are those that were used, and are absent if this program did not submit the
 * generation. `missing` counts the images that did not come.
 *
 * @since 0.1.0
 * @category models
 */
export const ToolSuccess = Schema.Struct({
  recordId: Schema.String,
  model: Schema.optional(Schema.String),
  seed: Schema.optional(Schema.Number),
  images: Schema.Array(ToolImage),
  missing: Schema.Number
})

/**
 * The failure of a tool: the tag of the error, its message, and what the model is to do next.
 *
 * @since 0.1.0
 * @category models
 */
export const ToolFailure = Schema.Struct({
  error: Schema.String,
  message: Schema.String,
  next: Schema.String,
  recordId: Schema.optional(Schema.String)
})

// Parameters that do not fit their schema would fail the whole response of the model. ARTA checks them, and tells the
// model.
const anyParameter = Schema.optional(Schema.Unknown)

const generateParameters = Schema.Struct({
  prompt: anyParameter,
  model: anyParameter,
  n: anyParameter,
  aspectRatio: anyParameter,
  seed: anyParameter,
  negativePrompt: anyParameter
}).annotations({
  jsonSchema: {
    type: "object",
    properties: {
      prompt: { type: "string", description: "What the image shows, in English." },
      model: { type: "string", description: "The image model, such as flux, sdxl-1.0 or watercolor. Default: flux." },
      n: { type: "integer", minimum: 1, maximum: 8, description: "The number of images. Each one costs. Default: 1." },
      aspectRatio: { type: "string", description: "Width and height, such as 16:9. Default: 1:1." },
      seed: { type: "integer", description: "The same seed and parameters give the same image. Default: random." },
      negativePrompt: { type: "string", description: "What the image should avoid." }
    },
    required: ["prompt"],
    additionalProperties: false
  }
})

const checkParameters = Schema.Struct({ recordId: anyParameter }).annotations({
  jsonSchema: {
    type: "object",
    properties: { recordId: { type: "string", description: "The recordId in a result of generate_image." } },
    required: ["recordId"],
    additionalProperties: false
  }
})

const outcome = {
  success: ToolSuccess,
  failure: ToolFailure,
  // A language model reads what went wrong.
  failureMode: "return" as const,
  dependencies: [ArtaApi.ArtaApi]
}

const generateImage = Tool.make("generate_image", {
  description:
    "Generates images from a prompt and waits for them, which can take minutes. Every call costs, so call it once for each " +
    "request of the user.",
  ...outcome
})
  .setParameters(generateParameters)
  .annotate(Tool.Title, "Generate images")
  .annotate(Tool.Destructive, false)
  .annotate(Tool.Idempotent, false)

const checkGeneration = Tool.make("check_generation", {
  description: "Waits for the images of a generation that generate_image submitted. Costs nothing.",
  ...outcome
})
  .setParameters(checkParameters)
  .annotate(Tool.Title, "Check a generation")
  .annotate(Tool.Readonly, true)
  .annotate(Tool.Destructive, false)

/**
 * The tools `generate_image` and `check_generation`. Pass it to a language model, and provide `layer` or `layerSaving`,
 * and `ArtaApi`.
 *
 * @since 0.1.0
 * @category tools
 */
export const toolkit = Toolkit.make(generateImage, checkGeneration)

/**
 * The handlers of the tools, which the layers of this module provide.
 *
 * @since 0.1.0
 * @category models
 */
export type Handlers = Tool.HandlersFor<typeof toolkit.tools>

type Image = typeof ToolImage.Type

/** How the images of a generation reach the model. */
type Deliver = (generation: Generation) => Effect.Effect<ReadonlyArray<Image>, never, ArtaApi.ArtaApi>

// A model cannot use an image that is part of its URL, and would read megabytes.
const addressOf = (url: string): Pick<Image, "url"> => (url.startsWith("data:") ? {} : { url })

const deliverUrls: Deliver = ({ images }) =>
  Effect.succeed(images.map(({ index, url }) => ({ index, ...addressOf(url) })))

// Models pass null for what they leave out.
const withoutNulls = (parameters: Readonly<Record<string, unknown>>) => Record.filter(parameters, Predicate.isNotNull)

const handlers = (deliver: Deliver) => {
  const report = (generation: Generation) =>
    Effect.map(deliver(generation), (images) => ({
      recordId: generation.recordId,
      ...(generation.request && { model: generation.request.model, seed: generation.request.seed }),
      images,
      missing: generation.missing
    }))
  return toolkit.of({
    generate_image: (parameters) =>
      Arta.prepare(withoutNulls(parameters)).pipe(
        Effect.flatMap(Arta.run),
        Effect.mapError(toToolFailure),
        Effect.flatMap(report)
      ),
    check_generation: ({ recordId }) =>
      Arta.resume(Predicate.isString(recordId) ? recordId : "").pipe(
        Effect.mapError(toToolFailure),
        Effect.flatMap(report)
      )
  })
}

/**
 * Handles the tools. The model gets the URLs of the images at the service.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<Handlers> = toolkit.toLayer(handlers(deliverUrls))

/**
 * Handles the tools and saves the images to a directory, under names made from prompt, seed and index. The model gets
 * the paths of the files, and the URLs. An image that could not be saved has a `problem`; its generation can be checked
 * again.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerSaving = (
  options: Omit<ImageFile.SaveOptions, "name">
): Layer.Layer<Handlers, never, HttpClient.HttpClient | FileSystem.FileSystem | Path.Path> =>
  toolkit.toLayer(
    Effect.map(Effect.context<HttpClient.HttpClient | FileSystem.FileSystem | Path.Path>(), (platform) =>
      handlers((generation) =>
        ImageFile.save(generation, options).pipe(
          Effect.map((saved) =>
            saved.map(({ image: { index, url }, result }) => ({
              index,
              ...addressOf(url),
              ...Either.match(result, {
                onLeft: ({ message }): Partial<Image> => ({ problem: message }),
                onRight: (path) => ({ path })
              })
            }))
          ),
          Effect.mapInputContext((caller: Context.Context<ArtaApi.ArtaApi>) => Context.merge(platform, caller))
        )
      )
    )
  )
