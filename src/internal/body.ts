import type { HttpClientResponse } from "@effect/platform/HttpClientResponse"
import * as Chunk from "effect/Chunk"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Ref from "effect/Ref"
import * as Stream from "effect/Stream"

/** Why a body could not be read to its end. */
export class BodyFailure extends Data.TaggedError("BodyFailure")<{
  readonly reason: string
  readonly isTooLarge: boolean
}> {}

type Bytes = Stream.Stream<Uint8Array, BodyFailure>

const cutOff = new BodyFailure({ reason: "the response was cut off", isTooLarge: false })

const tooLarge = (mebibytes: number) =>
  new BodyFailure({ reason: `the response is larger than ${String(mebibytes)} MiB`, isTooLarge: true })

const toBytes = (mebibytes: number): number => mebibytes * 1024 * 1024

const received = ({ stream }: HttpClientResponse): Bytes =>
  Stream.catchAll(stream, ({ reason }) => (reason === "EmptyBody" ? Stream.empty : Stream.fail(cutOff)))

/** Counts the bytes of a stream, and fails after too many. */
const count = (self: Bytes, total: Ref.Ref<number>, mebibytes: number): Bytes =>
  Stream.tap(self, (chunk) =>
    Effect.filterOrFail(
      Ref.updateAndGet(total, (before) => before + chunk.length),
      (after) => after <= toBytes(mebibytes),
      () => tooLarge(mebibytes)
    )
  )

/** Fails once a body has more than so many mebibytes. */
export const limit = (self: Bytes, mebibytes: number): Bytes =>
  Stream.unwrap(Effect.map(Ref.make(0), (total) => count(self, total, mebibytes)))

// Some servers compress without being asked, and not every client decompresses. No image or JSON begins with this byte.
const isGzip = ([first]: Uint8Array): boolean => first === 0x1f

const gunzip = (self: Bytes, mebibytes: number): Bytes =>
  Stream.map(self, (chunk): BufferSource => new Uint8Array(chunk)).pipe(
    Stream.toReadableStreamEffect(),
    Effect.map((compressed) =>
      Stream.fromReadableStream({
        evaluate: () => compressed.pipeThrough(new DecompressionStream("gzip")),
        onError: (error) => (error instanceof BodyFailure ? error : cutOff)
      })
    ),
    Stream.unwrap,
    (decompressed) => limit(decompressed, mebibytes)
  )

export const concat = (chunks: Iterable<Uint8Array>): Uint8Array => {
  const parts = Array.from(chunks)
  const [first] = parts
  if (first !== undefined && parts.length === 1) return first
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}

const collect = (self: Bytes): Effect.Effect<Uint8Array, BodyFailure> => Effect.map(Stream.runCollect(self), concat)

/**
 * Streams the body of a response. Fails if the body is cut off, or larger than so many mebibytes, decompressed or not.
 */
export const streamBody = (response: HttpClientResponse, mebibytes: number): Bytes =>
  Effect.gen(function* () {
    const { "content-encoding": encoding, "content-length": length } = response.headers
    if (Number(length) > toBytes(mebibytes)) return yield* tooLarge(mebibytes)
    const total = yield* Ref.make(0)
    const pull = yield* received(response).pipe(
      Stream.filter((chunk) => chunk.length > 0),
      (nonEmpty) => count(nonEmpty, total, mebibytes),
      Stream.toPull
    )
    const first = yield* Effect.catchAll(
      pull,
      Option.match({ onNone: () => Effect.succeed(Chunk.empty<Uint8Array>()), onSome: Effect.fail })
    )
    const compressed = Option.exists(Chunk.head(first), isGzip)
    // A client that has decompressed a body leaves the header with the length before that.
    const isShort = (bytes: number) => (encoding === undefined || compressed) && bytes < Number(length)
    const wire = Stream.fromChunk(first).pipe(
      Stream.concat(Stream.repeatEffectChunkOption(pull)),
      Stream.concat(Stream.execute(Effect.filterOrFail(Ref.get(total), Predicate.not(isShort), () => cutOff)))
    )
    return compressed ? gunzip(wire, mebibytes) : wire
  }).pipe(Stream.unwrapScoped)

/** Reads the text of a response, under the same conditions as `streamBody`. */
export const readText = (response: HttpClientResponse, mebibytes: number): Effect.Effect<string, BodyFailure> => {
  const { "content-encoding": encoding, "content-length": length } = response.headers
  // The client holds the server to the length that it declares, and that takes half the CPU time of a stream.
  const bytes =
    encoding === undefined && Number(length) <= toBytes(mebibytes)
      ? Effect.matchEffect(response.arrayBuffer, {
          onFailure: () => cutOff,
          onSuccess: (buffer) => {
            const bytes = new Uint8Array(buffer)
            return isGzip(bytes) ? collect(gunzip(Stream.make(bytes), mebibytes)) : Effect.succeed(bytes)
          }
        })
      : collect(streamBody(response, mebibytes))
  return Effect.map(bytes, (bytes) => new TextDecoder().decode(bytes))
}
