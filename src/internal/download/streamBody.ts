import type { HttpClientResponse } from "@effect/platform/HttpClientResponse"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Ref from "effect/Ref"
import * as Stream from "effect/Stream"
import type { Bytes } from "../body.js"
import { cutOff, gunzip, isGzip, limit, received, toBytes, tooLarge } from "../body.js"

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
      (nonEmpty) => limit(nonEmpty, mebibytes),
      Stream.tap((chunk) => Ref.update(total, (before) => before + chunk.length)),
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
