import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { bucketCount, restoredModel } from "../durationHistory.js"
import type { HazardModel } from "../durationHistory.js"

/** What was learned, by key. The keys that learned last are at the end. */
export type Models = ReadonlyMap<string, HazardModel>

const version = 1

// Enough for every model of a few services. A file that is longer than its limit is not ours.
const maxKeys = 100
const maxKeyLength = 500
export const maxBytes = 1_048_576

// The weights of endless observations add up to 67.
const maxWeight = 100

const Weights = Schema.Array(
  Schema.Tuple(Schema.Int.pipe(Schema.between(0, bucketCount - 1)), Schema.Number.pipe(Schema.between(0, maxWeight)))
).pipe(
  Schema.maxItems(bucketCount),
  Schema.filter((weights) => weights.reduce((sum, [, weight]) => sum + weight, 0) <= maxWeight)
)

const Durations = Schema.Struct({
  durations: Schema.Array(
    Schema.Struct({ key: Schema.String.pipe(Schema.maxLength(maxKeyLength)), weights: Weights })
  ).pipe(Schema.maxItems(maxKeys))
})

const Versioned = Schema.Struct({ version: Schema.Unknown })

const decodeJson = Schema.decodeUnknownOption(Schema.parseJson())
const decodeVersioned = Schema.decodeUnknownOption(Versioned)
const decodeDurations = Schema.decodeUnknownOption(Durations)

const isOurs = (json: unknown): boolean =>
  Option.exists(decodeVersioned(json), (versioned) => versioned.version === version)

const toModel = (weights: Schema.Schema.Type<typeof Weights>): HazardModel => {
  const byBucket = new Map(weights)
  return restoredModel(Float64Array.from({ length: bucketCount }, (_, bucket) => byBucket.get(bucket) ?? 0))
}

/** Reads the text of a file. JSON of another version, or without one, may belong to another program. */
export const fromJson = (text: string): Models | "damaged" | "foreign" => {
  const json = decodeJson(text)
  if (Option.isNone(json)) return "damaged"
  if (!isOurs(json.value)) return "foreign"
  return Option.match(decodeDurations(json.value), {
    onNone: () => "damaged",
    onSome: ({ durations }) => new Map(durations.map(({ key, weights }) => [key, toModel(weights)]))
  })
}

const weightsOf = ({ seen }: HazardModel): ReadonlyArray<readonly [number, number]> =>
  Array.from(seen, (weight, bucket) => [bucket, Math.round(weight * 1_000) / 1_000] as const).filter(
    ([, weight]) => weight > 0
  )

export const toJson = (models: Models): string =>
  JSON.stringify({
    version,
    durations: [...models]
      .filter(([key]) => key.length <= maxKeyLength)
      .slice(-maxKeys)
      .map(([key, model]) => ({ key, weights: weightsOf(model) }))
  })
