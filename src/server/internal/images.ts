import type * as HttpClient from "@effect/platform/HttpClient"
import * as Array from "effect/Array"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { ArtaApi } from "../../ArtaApi.js"
import type { GenerateRequest } from "../../GenerateRequest.js"
import * as ImageFile from "../../ImageFile.js"
import { ApiError, resumingRequest } from "./apiError.js"

const toBase64 = ({ buffer, byteLength, byteOffset }: Uint8Array): string =>
  Buffer.from(buffer, byteOffset, byteLength).toString("base64")

interface EncodedImage {
  /** The position among the images of the service. */
  readonly index: number
  readonly base64: string
  /** `png`, `jpeg` or `webp`. */
  readonly format: string
}

export interface LoadedImages {
  readonly recordId: string
  readonly images: Array.NonEmptyReadonlyArray<EncodedImage>
  /** How many of the requested images did not come. */
  readonly missing: number
  /** Why images could not be downloaded. */
  readonly warnings: ReadonlyArray<string>
}

/** Fails if no image can be downloaded: clients take an empty list for a reason to send the request again. */
export const loadImages = (
  source: ImageFile.Source & { readonly missing: number },
  timeout: Duration.DurationInput
): Effect.Effect<LoadedImages, ApiError, ArtaApi | HttpClient.HttpClient> =>
  Effect.gen(function* () {
    const { recordId } = source
    const [failures, loaded] = Array.separate(yield* ImageFile.load(source, { timeout }))
    const warnings = failures.map(({ message }) => message)
    if (!Array.isNonEmptyReadonlyArray(loaded)) {
      return yield* new ApiError({
        status: 424,
        type: "generation_error",
        code: "download",
        recordId,
        message:
          `The generation ${recordId} is complete, but its images could not be downloaded. ${warnings[0] ?? ""} ` +
          `${resumingRequest(recordId)} tries again, at no cost.`
      })
    }
    const images = Array.map(loaded, ({ bytes, image, mediaType }) => ({
      index: image.index,
      base64: toBase64(bytes),
      format: mediaType.replace("image/", "")
    }))
    return {
      recordId,
      images,
      missing: source.missing + failures.length,
      warnings
    }
  })

const incomplete = ({ missing, warnings }: LoadedImages) => (missing > 0 ? { missing, warnings } : {})

/** The list of images in OpenAI's response, and what that has no field for. */
export const imagesData = (loaded: LoadedImages) => ({
  data: loaded.images.map(({ base64 }) => ({ b64_json: base64 })),
  output_format: loaded.images[0].format,
  ...incomplete(loaded)
})

const seconds = (millis: number): number => Math.floor(millis / 1000)

interface Subject {
  readonly createdAt: number
  readonly request: GenerateRequest
}

/** OpenAI's response to a request for images. */
export const imagesResponse = ({ createdAt, request: { model, seed } }: Subject, loaded: LoadedImages) => ({
  created: seconds(createdAt),
  ...imagesData(loaded),
  record_id: loaded.recordId,
  model,
  seed
})

// Clients in typed languages require these fields.
const tokens = { image_tokens: 0, text_tokens: 0 }
const noUsage = {
  input_tokens: 0,
  input_tokens_details: tokens,
  output_tokens: 0,
  total_tokens: 0
}

/** The data of OpenAI's last event, one for each image. */
export const completedData = (createdAt: number, loaded: LoadedImages) =>
  loaded.images.map(({ base64, format, index }) => ({
    type: "image_generation.completed",
    b64_json: base64,
    created_at: seconds(createdAt),
    background: "opaque",
    output_format: format,
    quality: "auto",
    size: "auto",
    usage: noUsage,
    index,
    record_id: loaded.recordId,
    ...incomplete(loaded)
  }))
