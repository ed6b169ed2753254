import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import * as Order from "effect/Order"
import * as Arta from "../../Arta.js"
import type { GenerateRequest } from "../../GenerateRequest.js"
import type { ApiError } from "./apiError.js"
import { badRequest, fromArtaError } from "./apiError.js"
import type { JsonObject } from "./readBody.js"

export interface ImageRequest {
  readonly request: GenerateRequest
  readonly stream: boolean
  /** Whether the stream has events of the progress. */
  readonly progress: boolean
}

/** Clients send null for what they do not set. */
const given = (json: JsonObject, field: string): unknown => json[field] ?? undefined

/** The models of OpenAI that clients know, and what stands in for them. */
export const modelFor = (name: unknown): unknown => {
  if (typeof name !== "string") return name
  const model = name.trim().toLowerCase()
  if (model === "" || model.startsWith("dall-e-")) return undefined
  return /^(chat)?gpt-image-/.test(model) ? "gpt-image" : name
}

const aspectRatios = ["1:1", "4:3", "3:4", "3:2", "2:3", "16:9", "9:16"] as const

const shapeOf = (ratio: string): number => {
  const [width = 1, height = 1] = ratio.split(":").map(Number)
  return Math.log(width / height)
}

/** 1792x1024 is 16:9 in all but name, but exactly 7:4. */
const nearestAspectRatio = (width: number, height: number): string => {
  const wanted = Math.log(width / height)
  return Array.min(
    aspectRatios,
    Order.mapInput(Order.number, (ratio: string) => Math.abs(shapeOf(ratio) - wanted))
  )
}

const sizePattern = /^\s*([1-9]\d{0,5})\s*[x×:]\s*([1-9]\d{0,5})\s*$/i

const aspectRatioFrom = (size: unknown): Effect.Effect<string | undefined, ApiError> => {
  if (size === undefined || size === "" || size === "auto") return Effect.succeed(undefined)
  const [, width, height] = sizePattern.exec(typeof size === "string" ? size : "") ?? []
  return width === undefined || height === undefined
    ? badRequest("size must be WIDTHxHEIGHT, such as 1024x1024, or auto.", "size")
    : Effect.succeed(nearestAspectRatio(Number(width), Number(height)))
}

const flag = (json: JsonObject, field: string): Effect.Effect<boolean, ApiError> => {
  const value = given(json, field)
  if (value === undefined) return Effect.succeed(false)
  return typeof value === "boolean" ? Effect.succeed(value) : badRequest(`${field} must be true or false.`, field)
}

/** Reads what a request for images and one for a chat have in common. */
export const decodeRequest = (
  json: JsonObject,
  subject: Readonly<Record<string, unknown>>
): Effect.Effect<ImageRequest, ApiError> =>
  Effect.gen(function* () {
    if (given(json, "background") === "transparent") {
      return yield* badRequest(
        "The models have no transparent background: omit background, or send auto.",
        "background"
      )
    }
    const aspectRatio = given(json, "aspect_ratio") ?? (yield* aspectRatioFrom(given(json, "size")))
    const request = yield* Effect.mapError(
      Arta.prepare({
        ...subject,
        model: modelFor(given(json, "model")),
        negativePrompt: given(json, "negative_prompt"),
        numInferenceSteps: given(json, "steps"),
        guidanceScale: given(json, "guidance_scale"),
        seed: given(json, "seed"),
        aspectRatio
      }),
      fromArtaError
    )
    return {
      request,
      stream: yield* flag(json, "stream"),
      progress: yield* flag(json, "progress")
    }
  })

/** Reads a request as OpenAI's clients send it. What the service has nothing like is ignored, such as `quality`. */
export const decodeImageRequest = (json: JsonObject): Effect.Effect<ImageRequest, ApiError> =>
  decodeRequest(json, { prompt: given(json, "prompt"), n: given(json, "n") })
