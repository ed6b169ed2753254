/**
 * ARTA as a provider of the AI SDK: `generateImage` of `ai` 6 and 7.
 *
 * A call submits one generation and never sends it twice: no error makes the SDK try again. An error after the
 * submission names the record id, with which `NodeArta.client().resume` gets the images.
 *
 * @example
 * ```ts
 * import { createArta } from "effect-arta/ai-sdk"
 *
 * const arta = createArta()
 *
 * // The package ai: generateImage({ model: flux, prompt: "a lighthouse at dawn", aspectRatio: "16:9", n: 4 })
 * export const flux = arta.image("flux")
 * export const close = () => arta.close()
 * ```
 *
 * @since 0.1.0
 */
/// <reference lib="esnext.disposable" preserve="true" />
import type { ImageModelV3, ProviderV3 } from "@ai-sdk/provider"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { ArtaClient } from "../ArtaClient.js"
import { InvalidRequestError } from "../ArtaError.js"
import type { ImageModel } from "../ImageModel.js"
import * as NodeArta from "../node/NodeArta.js"
import { generateImages } from "./internal/generateImages.js"

export {
  /**
   * @since 0.1.0
   * @category errors
   */
  ImagesNotReceivedError
} from "./ImagesNotReceivedError.js"

/**
 * The options of `NodeArta.client`, or a client: another platform or another token store. A client is closed with the
 * provider.
 *
 * @since 0.1.0
 * @category options
 */
export type Options = (Partial<NodeArta.Options> & { readonly client?: never }) | { readonly client: ArtaClient }

/**
 * What `providerOptions.arta` takes. Any other option fails with `InvalidRequestError` before anything is sent.
 *
 * @since 0.1.0
 * @category options
 */
export type ArtaProviderOptions = Readonly<{
  /** Describes what the image should avoid. Default: `"blurry, deformed hands, ugly"`. */
  negativePrompt?: string
  /** The number of inference steps for each image, from 1 to 100. Default: 30. */
  steps?: number
  /** How closely the images follow the prompt, zero or more. Default: 7. */
  guidanceScale?: number
}>

/**
 * What `providerMetadata.arta.images` has for each image, in the order of the images.
 *
 * @since 0.1.0
 * @category models
 */
export interface ArtaImageMetadata {
  /** The id of the generation: `NodeArta.client().resume` gets its images again. */
  readonly recordId: string
  /** The seed that was used. */
  readonly seed: number
  /** The position of the image in its generation, from 0. */
  readonly index: number
  /** Where the service keeps the image for some time. */
  readonly url?: string
}

/**
 * @since 0.1.0
 * @category models
 */
export interface ArtaProvider extends ProviderV3, AsyncDisposable {
  /** Returns the image model with this service name or alias, see `ImageModel`. A call checks the name. */
  readonly image: (model: ImageModel) => ImageModelV3
  /** Ends all calls and releases the connections. Later calls fail. */
  readonly close: () => Promise<void>
}

// The service is not known to generate more.
const maxImagesPerCall = 8

const imageModel = (client: ArtaClient, modelId: string): ImageModelV3 => ({
  specificationVersion: "v3",
  provider: "arta",
  modelId,
  maxImagesPerCall,
  doGenerate: (options) =>
    Effect.runPromiseExit(generateImages(client, modelId, options)).then(
      Exit.getOrElse((cause) => {
        throw Cause.squash(cause)
      })
    )
})

const imagesOnly = (kind: string) => (modelId: string) => {
  throw new InvalidRequestError({
    field: "model",
    value: `${kind} ${JSON.stringify(modelId)}`,
    allowed: "an image model: ARTA has no other"
  })
}

/**
 * Makes a provider for the AI SDK. Options that are left out are read from the environment, as `NodeArta.client` does.
 *
 * A call throws the errors of `ArtaError` as they are, and `ImagesNotReceivedError` if it ends between the submission
 * and the images. `size`, `files` and `mask` have no effect and give a warning, and so does an image that is missing
 * among others. `headers` are ignored.
 *
 * @since 0.1.0
 * @category constructors
 */
export const createArta = (options: Options = {}): ArtaProvider => {
  const client = options.client ?? NodeArta.client(options)
  const image = (modelId: string) => imageModel(client, modelId)
  return {
    specificationVersion: "v3",
    image,
    imageModel: image,
    languageModel: imagesOnly("the language model"),
    embeddingModel: imagesOnly("the embedding model"),
    close: client.close,
    [Symbol.asyncDispose]: client.close
  }
}
