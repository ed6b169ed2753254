import type * as HttpClient from "@effect/platform/HttpClient"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Arta from "../../Arta.js"
import type { ArtaApi } from "../../ArtaApi.js"
import type { GenerateRequest } from "../../GenerateRequest.js"
import type { GenerationEvent } from "../../Generation.js"
import type { ApiError } from "./apiError.js"
import { fromArtaError } from "./apiError.js"
import type { Progress, ServerGeneration } from "./generations.js"
import { awaitEnd, changesOf, isEnd, noteTold } from "./generations.js"
import type { LoadedImages } from "./images.js"
import { completedData, loadImages } from "./images.js"
import { progressData } from "./progress.js"
import { errorEvent, event } from "./serverSentEvents.js"

type Events = Stream.Stream<string, never, ArtaApi | HttpClient.HttpClient>

// What a generation that completes just before its timeout has for its images.
const leastForImages = Duration.seconds(15)

/** The images of a generation once it has completed. */
export const awaitImages = (
  generation: ServerGeneration,
  timeout: Duration.Duration
): Effect.Effect<LoadedImages, ApiError, ArtaApi | HttpClient.HttpClient> =>
  Effect.gen(function* () {
    const end = yield* awaitEnd(generation)
    if (end._tag === "Failed") return yield* end.error
    const elapsed = Duration.millis((yield* Clock.currentTimeMillis) - generation.createdAt)
    return yield* loadImages(end, Duration.max(leastForImages, Duration.subtract(timeout, elapsed)))
  }).pipe(Effect.zipLeft(noteTold(generation)))

const progressEvent = (progress: GenerationEvent, request?: GenerateRequest): string =>
  event(progressData(progress, request))

const isUnderWay = (progress: Progress): progress is GenerationEvent =>
  progress._tag !== "Submitting" && !isEnd(progress)

/** The progress of a generation of this server. */
export const progressEvents = (generation: ServerGeneration): Stream.Stream<string> =>
  changesOf(generation).pipe(
    Stream.filter(isUnderWay),
    Stream.map((event) => progressEvent(event, generation.request))
  )

/** The images of a generation of this server, as OpenAI's events. */
export const imageEvents = (generation: ServerGeneration, timeout: Duration.Duration): Events =>
  awaitImages(generation, timeout).pipe(
    Effect.map((loaded) => completedData(generation.createdAt, loaded).map(event)),
    Effect.catchAll((error) => Effect.succeed([errorEvent(error)])),
    Stream.fromIterableEffect
  )

/** The progress and the images of a generation that another server submitted, or this one long ago. */
export const watchedEvents = (recordId: string, timeout: Duration.Duration): Events =>
  Arta.watch(recordId, { timeout }).pipe(
    Stream.mapError(fromArtaError),
    Stream.mapConcatEffect((progress) =>
      progress._tag === "Completed"
        ? Effect.gen(function* () {
            const loaded = yield* loadImages(progress, leastForImages)
            return completedData(yield* Clock.currentTimeMillis, loaded).map(event)
          })
        : Effect.succeed([progressEvent(progress)])
    ),
    Stream.catchAll((error) => Stream.succeed(errorEvent(error)))
  )
