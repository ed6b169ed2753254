import type * as HttpClient from "@effect/platform/HttpClient"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { ArtaApi } from "../../ArtaApi.js"
import type { ApiError } from "./apiError.js"
import { badRequest } from "./apiError.js"
import { identify } from "./fingerprint.js"
import { awaitImages, imageEvents, progressEvents } from "./generationEvents.js"
import type { Generations, ServerGeneration } from "./generations.js"
import { awaitAccepted, noteLeft } from "./generations.js"
import type { ImageRequest } from "./imageRequest.js"
import { decodeImageRequest } from "./imageRequest.js"
import { imagesResponse } from "./images.js"
import { readJson } from "./readBody.js"
import { requestIdHeader } from "./requestIdHeader.js"
import type { ServerScope } from "./serverScope.js"
import { streamEvents } from "./serverSentEvents.js"

const maxMebibytes = 1

type Services = ArtaApi | HttpClient.HttpClient

type Route = Effect.Effect<
  HttpServerResponse.HttpServerResponse,
  ApiError,
  HttpServerRequest.HttpServerRequest | Scope.Scope | ServerScope | Services
>

/** Responds once the service has accepted the generation: an error until then has a status. */
const streamed = (generation: ServerGeneration, timeout: Duration.Duration, { progress }: ImageRequest) =>
  Effect.gen(function* () {
    const accepted = yield* awaitAccepted(generation)
    if (accepted._tag === "Failed") return yield* accepted.error
    const services = yield* Effect.context<Services>()
    const images = imageEvents(generation, timeout)
    const events = progress ? Stream.concat(progressEvents(generation), images) : images
    return streamEvents(
      events.pipe(
        Stream.ensuringWith((exit) => noteLeft(generation, exit)),
        Stream.provideContext(services)
      ),
      accepted.recordId
    )
  })

const whole = (generation: ServerGeneration, timeout: Duration.Duration) =>
  Effect.map(awaitImages(generation, timeout), (loaded) =>
    HttpServerResponse.unsafeJson(imagesResponse(generation, loaded), { headers: requestIdHeader(loaded.recordId) })
  )

/** Submits a generation, and responds with its images or with its events. */
export const createImages = (generations: Generations, timeout: Duration.Duration): Route =>
  Effect.gen(function* () {
    const { json, text } = yield* readJson(maxMebibytes)
    const wanted = yield* decodeImageRequest(json)
    const id = identify(yield* HttpServerRequest.HttpServerRequest, text)
    return yield* generations.use({ ...id, request: wanted.request }, (generation) =>
      wanted.stream ? streamed(generation, timeout, wanted) : whole(generation, timeout)
    )
  })

/** The service makes images from text only. */
export const refuseEdits = badRequest(
  "The models make images from a prompt only, and cannot edit or vary an image: use /v1/images/generations.",
  undefined,
  400,
  "unsupported"
)
