import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import { ArtaApi } from "../../ArtaApi.js"
import { DownloadError } from "../../ArtaError.js"
import type { Image, RecordId } from "../../Generation.js"
import { backoff } from "../retry.js"
import { presentable } from "../serviceText.js"
import * as DataUrl from "./dataUrl.js"
import type { DownloadFailure } from "./downloadFailure.js"
import { timedOut, withoutUser } from "./downloadFailure.js"
import { stopwatch } from "./stopwatch.js"

/** Asks the service for an image's current URL. Returns the old URL if the service has no newer one. */
const refreshUrl = (recordId: RecordId, image: Image) =>
  Effect.flatMap(ArtaApi, (api) => api.status(recordId)).pipe(
    Effect.map((status) => (status._tag === "Done" ? status.images : [])),
    Effect.orElseSucceed((): ReadonlyArray<Image> => []),
    Effect.map((images) => images.find(({ index }) => index === image.index)?.url ?? image.url)
  )

/** Waits for the backoff, or for as long as the server asks for if that is longer. */
const pauses = Schedule.identity<DownloadFailure>().pipe(
  Schedule.intersect(backoff),
  Schedule.modifyDelay(([{ retryAfter = Duration.zero }], delay) => Duration.max(retryAfter, delay))
)

// A host that has no image after this time is unlikely to get it.
const publishTime = Duration.seconds(30)

export const toDownloadError = (image: Image, { path, reason }: DownloadFailure, recordId?: RecordId): DownloadError =>
  new DownloadError({ url: presentable(withoutUser(DataUrl.withoutContent(image.url)), []), reason, path, recordId })

export interface Download {
  readonly image: Image
  readonly recordId: RecordId
  readonly timeout: Duration.Duration
}

/**
 * Downloads an image within the timeout. Retries lost connections and server errors three times, waits for an image
 * that is not there yet or for as long as the server asks, and requests the status once if the server refuses the URL.
 */
export const withRecovery = <A, R>(
  { image, recordId, timeout }: Download,
  attempt: (url: string) => Effect.Effect<A, DownloadFailure, R>
): Effect.Effect<A, DownloadError, ArtaApi | R> =>
  Effect.gen(function* () {
    const elapsed = yield* stopwatch
    const last = yield* Ref.make<DownloadFailure | undefined>(undefined)

    const refreshed = yield* Effect.cached(refreshUrl(recordId, image))
    const url = yield* Ref.make<Effect.Effect<string, never, ArtaApi>>(Effect.succeed(image.url))

    const isRefusal = ({ recovery }: DownloadFailure) => recovery === "new url"

    const isWorthWaiting = ({ recovery, retryAfter }: DownloadFailure) =>
      Effect.map(elapsed, (elapsed) => {
        const end = retryAfter === undefined ? publishTime : timeout
        const isInTime = Duration.lessThan(Duration.sum(elapsed, retryAfter ?? Duration.zero), end)
        return isInTime && (recovery === "wait" || retryAfter !== undefined)
      })

    const downloaded = yield* Effect.flatMap(Effect.flatten(Ref.get(url)), attempt).pipe(
      Effect.tapError((failure) => Ref.set(last, failure)),
      Effect.retry({
        schedule: pauses,
        times: DataUrl.isDataUrl(image.url) ? 0 : 3,
        while: ({ recovery }) => recovery === "retry"
      }),
      Effect.tapError((failure) => Effect.when(Ref.set(url, refreshed), () => isRefusal(failure))),
      Effect.retry({ times: 1, while: (failure) => isRefusal(failure) && failure.retryAfter === undefined }),
      Effect.retry({ schedule: pauses, while: isWorthWaiting }),
      Effect.timeoutOption(timeout)
    )
    if (Option.isSome(downloaded)) return downloaded.value
    return yield* timedOut(timeout, yield* last)
  }).pipe(Effect.mapError((failure) => toDownloadError(image, failure, recordId)))
