import type { ImageModelV3, ImageModelV3CallOptions, JSONObject } from "@ai-sdk/provider"
import * as Array from "effect/Array"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import * as Stream from "effect/Stream"
import type { ArtaClient } from "../../ArtaClient.js"
import type { Completed, GenerationEvent, RecordId } from "../../Generation.js"
import type { GenerateRequest } from "../../GenerateRequest.js"
import type { LoadedImage } from "../../ImageFile.js"
import { ImagesNotReceivedError } from "../ImagesNotReceivedError.js"
import { decodeOptions } from "./decodeOptions.js"
import { warnIncomplete, warnUnsupported } from "./warnings.js"

type Result = Awaited<ReturnType<ImageModelV3["doGenerate"]>>

const hasRecordId = (error: unknown): boolean =>
  error instanceof Error && "_tag" in error && error._tag !== "DownloadError" && "recordId" in error

/** Makes sure that an error after the submission names the generation, which is paid for. */
const nameGeneration = (error: unknown, recordId: RecordId | undefined): unknown =>
  recordId === undefined || hasRecordId(error) ? error : new ImagesNotReceivedError({ recordId, cause: error })

const metadataOf = ({ recordId }: Completed, { seed }: GenerateRequest, { image }: LoadedImage): JSONObject => ({
  recordId,
  seed,
  index: image.index,
  // A data URL holds the image itself.
  ...(image.url.startsWith("data:") ? {} : { url: image.url })
})

/** Submits one generation, and returns its images once they are downloaded. Submits nothing twice. */
export const generateImages = (
  client: ArtaClient,
  model: string,
  options: ImageModelV3CallOptions
): Effect.Effect<Result, unknown> =>
  Effect.gen(function* () {
    const timestamp = new Date(yield* Clock.currentTimeMillis)
    const request = yield* decodeOptions(model, options)
    const settings = { signal: options.abortSignal }
    const recordId = yield* Ref.make<RecordId | undefined>(undefined)

    const generation = Effect.gen(function* () {
      const events = Stream.fromAsyncIterable<GenerationEvent, unknown>(
        client.generate(request, settings),
        (error) => error
      )
      const completed = yield* events.pipe(
        Stream.tap((event) => Ref.set(recordId, event.recordId)),
        Stream.filter((event) => event._tag === "Completed"),
        Stream.runHead,
        Effect.flatten
      )
      const [failed, loaded] = Array.separate(
        yield* Effect.tryPromise({ try: () => client.load(completed, settings), catch: (error) => error })
      )
      // The SDK could submit again for a result without images.
      const [firstError] = failed
      if (loaded.length === 0 && firstError !== undefined) return yield* Effect.fail(firstError)
      return { completed, failed, loaded }
    })

    const { completed, failed, loaded } = yield* Effect.catchAll(generation, (error) =>
      Effect.flatMap(Ref.get(recordId), (id) => Effect.fail(nameGeneration(error, id)))
    )
    return {
      images: loaded.map(({ bytes }) => bytes),
      warnings: [...warnUnsupported(options), ...warnIncomplete(completed, failed)],
      providerMetadata: { arta: { images: loaded.map((image) => metadataOf(completed, request, image)) } },
      response: { timestamp, modelId: request.model, headers: undefined }
    }
  })
