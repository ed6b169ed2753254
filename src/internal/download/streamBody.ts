import type { HttpClientResponse } from "@effect/platform/HttpClientResponse"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Bytes } from "../body.js"
import { decompress, isGzip, limit, possibleEnds, received, toBytes, tooLarge } from "../body.js"
import type { DownloadFailure } from "./downloadFailure.js"
import { failure, fromBodyFailure } from "./downloadFailure.js"

type ImageBytes = Stream.Stream<Uint8Array, DownloadFailure>

const isZlib = ([first = 0, second = 0]: Uint8Array): boolean =>
  (first & 0x0f) === 8 && (first * 256 + second) % 31 === 0

/** Whether a body starts as an image or as a text does. Some clients decompress a body and leave its header. */
const isPlain = (bytes: Uint8Array): boolean =>
  /^([\x89\xff]|[\t\n\r -~]+$)/.test(String.fromCharCode(...bytes.subarray(0, 4)))

/** How a body is compressed, whatever its header says. */
const formatOf = (start: Uint8Array, encoding: string): CompressionFormat | undefined => {
  if (isGzip(start)) return "gzip"
  if (!/deflate/i.test(encoding) || isPlain(start)) return undefined
  return isZlib(start) ? "deflate" : "deflate-raw"
}

/**
 * Splits a chunk where gzip may end. If other bytes follow, decompression fails at them, and discards what is
 * decompressed from the same chunk.
 */
const splitAtEnds = (chunk: Uint8Array): Chunk.Chunk<Uint8Array> =>
  Chunk.fromIterable([chunk.length, ...possibleEnds(chunk, 16), 0]).pipe(Chunk.reverse, Chunk.dedupeAdjacent, (all) =>
    Chunk.zipWith(all, Chunk.drop(all, 1), (start, end) => chunk.subarray(start, end))
  )

/** Decompresses a body that is compressed up to so many times. */
const decode = (self: Bytes, encoding: string, mebibytes: number, times: number): ImageBytes =>
  Effect.gen(function* () {
    const pull = yield* Stream.toPull(Stream.filter(self, ({ length }) => length > 0))
    const first = yield* Effect.catchAll(
      pull,
      Option.match({
        onNone: () => Effect.succeed(Chunk.empty<Uint8Array>()),
        onSome: (failure) => fromBodyFailure(failure)
      })
    )
    const body = Stream.concat(Stream.fromChunk(first), Stream.repeatEffectChunkOption(pull))
    const start = Option.getOrElse(Chunk.head(first), () => new Uint8Array())
    const format = times === 0 ? undefined : formatOf(start, encoding)
    const [unsupported] = /\b(br|zstd|compress)\b/i.exec(encoding) ?? []
    if (format === undefined) {
      return unsupported === undefined || isPlain(start)
        ? Stream.mapError(body, fromBodyFailure)
        : yield* failure("none", `the response is compressed (${unsupported}), which is not supported`)
    }
    // Compressed data has an end of its own, so it does not matter how the connection ends after it.
    const compressed = Stream.catchAll(body, (failure) => (failure.isTooLarge ? Stream.fail(failure) : Stream.empty))
    const decompressed = decompress(Stream.mapConcatChunk(compressed, splitAtEnds), mebibytes, format).pipe(
      // A failure drops the chunks that were not read before.
      Stream.buffer({ capacity: "unbounded" })
    )
    return decode(decompressed, encoding, mebibytes, times - 1)
  }).pipe(Stream.unwrapScoped)

/** Streams the body of a response. Fails if the body is larger than so many mebibytes, decompressed or not. */
export const streamBody = (response: HttpClientResponse, mebibytes: number): ImageBytes => {
  const { "content-encoding": encoding = "", "content-length": length } = response.headers
  return Number(length) > toBytes(mebibytes)
    ? fromBodyFailure(tooLarge(mebibytes))
    : decode(limit(received(response), mebibytes), encoding, mebibytes, 2)
}
