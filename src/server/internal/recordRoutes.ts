import type * as HttpClient from "@effect/platform/HttpClient"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TRef from "effect/TRef"
import { ArtaApi } from "../../ArtaApi.js"
import { GenerationFailedError } from "../../ArtaError.js"
import { RecordId } from "../../Generation.js"
import type { ApiError } from "./apiError.js"
import { badRequest, fromArtaError, toBody } from "./apiError.js"
import { imageEvents, progressEvents, watchedEvents } from "./generationEvents.js"
import type { Generations, Progress, ServerGeneration } from "./generations.js"
import { noteTold } from "./generations.js"
import { imagesData, loadImages } from "./images.js"
import { describeRequest, statusOf } from "./progress.js"
import { streamEvents } from "./serverSentEvents.js"

type Services = ArtaApi | HttpClient.HttpClient

type Response = Effect.Effect<HttpServerResponse.HttpServerResponse, ApiError, Services>

const mostListed = 100
const timeForImages = Duration.minutes(1)

const describe = (recordId: string, generation: ServerGeneration | undefined) => ({
  id: recordId,
  object: "image.generation",
  record_id: recordId,
  ...(generation && {
    created: Math.floor(generation.createdAt / 1000),
    request: describeRequest(generation.request)
  })
})

const unknownRecord = (recordId: string): ApiError =>
  badRequest(`The service has no generation ${recordId}.`, "record_id", 404, "not_found")

/** Asks the service, which knows more about a generation that this server has given up. */
const fromService = (recordId: RecordId, generation: ServerGeneration | undefined): Response =>
  Effect.gen(function* () {
    const api = yield* ArtaApi
    const status = yield* Effect.mapError(api.status(recordId), (error) =>
      error._tag === "ResponseError" && [404, 410].includes(error.status)
        ? unknownRecord(recordId)
        : fromArtaError(error)
    )
    const view = {
      ...describe(recordId, generation),
      status: statusOf(status)
    }
    switch (status._tag) {
      case "Done": {
        const loaded = yield* loadImages(
          { recordId, images: status.images, missing: status.missing ?? 0 },
          timeForImages
        )
        return HttpServerResponse.unsafeJson({
          ...view,
          ...imagesData(loaded)
        })
      }
      case "Failed": {
        const failure = new GenerationFailedError({
          recordId,
          status: status.status,
          detail: status.detail
        })
        return HttpServerResponse.unsafeJson({
          ...view,
          error: toBody(fromArtaError(failure)).error
        })
      }
      default:
        return HttpServerResponse.unsafeJson(view)
    }
  })

const fromServer = (recordId: RecordId, generation: ServerGeneration): Response =>
  Effect.gen(function* () {
    const progress = yield* TRef.get(generation.progress)
    if (progress._tag === "Submitting" || progress._tag === "Failed") return yield* fromService(recordId, generation)
    const view = {
      ...describe(recordId, generation),
      status: statusOf(progress)
    }
    if (progress._tag !== "Completed") return HttpServerResponse.unsafeJson(view)
    return HttpServerResponse.unsafeJson({
      ...view,
      ...imagesData(yield* Effect.zipLeft(loadImages(progress, timeForImages), noteTold(generation)))
    })
  })

const wantsEvents = ({ headers, url }: HttpServerRequest.HttpServerRequest): boolean =>
  /[?&]stream=true(&|$)/.test(url) || (headers["accept"] ?? "").includes("text/event-stream")

const isFailed = (generation: ServerGeneration) =>
  Effect.map(TRef.get(generation.progress), ({ _tag }: Progress) => _tag === "Failed")

const streamed = (recordId: RecordId, generation: ServerGeneration | undefined, timeout: Duration.Duration) =>
  Effect.gen(function* () {
    const services = yield* Effect.context<Services>()
    const events =
      generation === undefined || (yield* isFailed(generation))
        ? watchedEvents(recordId, timeout)
        : Stream.concat(progressEvents(generation), imageEvents(generation, timeout))
    return streamEvents(Stream.provideContext(events, services), recordId)
  })

/** The status of any generation of the account, and its images once it has completed. */
export const getGeneration = (generations: Generations, timeout: Duration.Duration) =>
  Effect.gen(function* () {
    const { record_id: given = "" } = yield* HttpRouter.params
    const recordId = yield* Effect.mapError(Schema.decode(RecordId)(given), () =>
      badRequest("record_id must be the id of a submitted generation.", "record_id")
    )
    const generation = Option.getOrUndefined(yield* generations.find(recordId))
    if (wantsEvents(yield* HttpServerRequest.HttpServerRequest)) return yield* streamed(recordId, generation, timeout)
    return yield* generation === undefined ? fromService(recordId, undefined) : fromServer(recordId, generation)
  })

const listed = (generation: ServerGeneration) =>
  Effect.map(TRef.get(generation.progress), (progress) => {
    if (progress._tag === "Submitting") return []
    if (progress._tag !== "Failed") {
      return [
        {
          ...describe(progress.recordId, generation),
          status: statusOf(progress)
        }
      ]
    }
    const { recordId } = progress.error
    return recordId === undefined
      ? []
      : [
          {
            ...describe(recordId, generation),
            status: "failed",
            error: toBody(progress.error).error
          }
        ]
  })

/** The generations that this server has submitted lately, the newest first, without their images. */
export const listGenerations = (generations: Generations) =>
  Effect.gen(function* () {
    const newest = (yield* generations.all).slice(0, mostListed)
    const data = (yield* Effect.forEach(newest, listed)).flat()
    return HttpServerResponse.unsafeJson({ object: "list", data })
  })
