import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import type { RecordId } from "../../../Generation.js"
import type { LoadedImage } from "../../../ImageFile.js"
import type { Store } from "./store.js"
import { extensions, numbered, StoreFailure } from "./store.js"

/** The part of `S3` of `@aws-sdk/client-s3` that is used. Its own type would require every program to install it. */
export interface S3Client {
  readonly headObject: (
    input: { readonly Bucket: string; readonly Key: string },
    options: { readonly abortSignal: AbortSignal }
  ) => Promise<{ readonly Metadata?: Readonly<Record<string, string>> | undefined }>
  readonly putObject: (
    input: {
      readonly Bucket: string
      readonly Key: string
      readonly Body: Uint8Array
      readonly ContentType: string
      readonly Metadata: Record<string, string>
      readonly IfNoneMatch?: string
    },
    options: { readonly abortSignal: AbortSignal }
  ) => Promise<unknown>
}

export interface S3Options {
  readonly client: S3Client
  readonly bucket: string
  readonly prefix?: string | undefined
}

/** A request that failed. `status` is 0 without a response. */
class S3Failure extends Data.TaggedError("S3Failure")<{ readonly status: number; readonly reason: string }> {}

const statusOf = (error: unknown): number => {
  if (!Predicate.hasProperty(error, "$metadata")) return 0
  const { $metadata: metadata } = error
  return Predicate.hasProperty(metadata, "httpStatusCode") ? Number(metadata.httpStatusCode) : 0
}

const maxReason = 200

// Keeps the name and the message only: the rest of the error has the signed request.
const toFailure = (error: unknown): S3Failure => {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : "no reason given"
  return new S3Failure({ status: statusOf(error), reason: text.replace(/\p{Cc}+/gu, " ").slice(0, maxReason) })
}

const recordKey = "arta-record-id"

// Metadata are headers.
const headerOf = (recordId: RecordId): string => encodeURIComponent(recordId)

/** Saves images to a bucket. Each object names its generation, so that no object of another is taken for it. */
export const s3Store = ({ bucket, client, prefix = "" }: S3Options): Store => {
  const start = prefix === "" || prefix.endsWith("/") ? prefix : `${prefix}/`
  const locationOf = (key: string) => `s3://${bucket}/${key}`

  const holderOf = (key: string): Effect.Effect<Option.Option<string>, S3Failure> =>
    Effect.tryPromise({
      try: (abortSignal) => client.headObject({ Bucket: bucket, Key: key }, { abortSignal }),
      catch: toFailure
    }).pipe(
      Effect.map(({ Metadata }) => Option.some(Metadata?.[recordKey] ?? "")),
      // Without the permission to list the bucket, a missing object is forbidden.
      Effect.catchIf(
        ({ status }) => status === 404 || status === 403,
        () => Effect.succeedNone
      )
    )

  const create = (
    key: string,
    { bytes, mediaType }: LoadedImage,
    recordId: RecordId,
    condition: { IfNoneMatch?: "*" }
  ) =>
    Effect.tryPromise({
      try: (abortSignal) =>
        client.putObject(
          {
            Bucket: bucket,
            Key: key,
            Body: bytes,
            ContentType: mediaType,
            Metadata: { [recordKey]: headerOf(recordId) },
            ...condition
          },
          { abortSignal }
        ),
      catch: toFailure
    })

  const place = (
    stem: string,
    image: LoadedImage,
    recordId: RecordId,
    attempt = 1
  ): Effect.Effect<string, StoreFailure> => {
    const key = `${start}${numbered(stem, attempt)}.${extensions[image.mediaType]}`
    const isOurs = Effect.map(
      holderOf(key),
      Option.map((holder) => holder === headerOf(recordId))
    )
    const createNew = create(key, image, recordId, { IfNoneMatch: "*" }).pipe(
      // Some servers know no conditions.
      Effect.catchIf(
        ({ status }) => status === 501,
        () => create(key, image, recordId, {})
      ),
      Effect.as(true),
      // Another saver was faster.
      Effect.catchIf(
        ({ status }) => status === 409 || status === 412,
        () =>
          Effect.map(
            isOurs,
            Option.getOrElse(() => false)
          )
      )
    )
    return Effect.flatMap(isOurs, Option.match({ onNone: () => createNew, onSome: Effect.succeed })).pipe(
      Effect.mapError(({ reason }) => new StoreFailure({ location: locationOf(key), reason })),
      Effect.flatMap((isSaved) =>
        isSaved ? Effect.succeed(locationOf(key)) : place(stem, image, recordId, attempt + 1)
      )
    )
  }

  return {
    put: (stem, image, recordId) => place(stem, image, recordId),
    find: (stem, recordId) =>
      Effect.findFirst(
        Object.values(extensions).map((extension) => `${start}${stem}.${extension}`),
        (key) => Effect.map(holderOf(key), Option.contains(headerOf(recordId))).pipe(Effect.orElseSucceed(() => false))
      ).pipe(Effect.map(Option.map(locationOf)))
  }
}
