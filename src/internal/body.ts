import type { HttpClientResponse } from "@effect/platform/HttpClientResponse"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

/** Why a body could not be read to its end. */
export class BodyFailure extends Data.TaggedError("BodyFailure")<{
  readonly reason: string
  readonly isTooLarge: boolean
}> {}

export type Bytes = Stream.Stream<Uint8Array, BodyFailure>

const cutOff = new BodyFailure({ reason: "the response was cut off", isTooLarge: false })

export const tooLarge = (mebibytes: number) =>
  new BodyFailure({ reason: `the response is larger than ${String(mebibytes)} MiB`, isTooLarge: true })

export const toBytes = (mebibytes: number): number => mebibytes * 1024 * 1024

export const received = ({ stream }: HttpClientResponse): Bytes =>
  Stream.catchAll(stream, ({ reason }) => (reason === "EmptyBody" ? Stream.empty : Stream.fail(cutOff)))

/** Fails after too many bytes. */
export const limit = (self: Bytes, mebibytes: number): Bytes =>
  Stream.mapAccumEffect(self, 0, (before, chunk) => {
    const after = before + chunk.length
    return after > toBytes(mebibytes) ? tooLarge(mebibytes) : Effect.succeed([after, chunk])
  })

// Some servers compress without being asked, and not every client decompresses. A chunk may end after the first byte.
export const isGzip = ([first, second = 0x8b]: Uint8Array): boolean => first === 0x1f && second === 0x8b

export const decompress = (self: Bytes, mebibytes: number, format: CompressionFormat = "gzip"): Bytes =>
  Stream.map(self, (chunk): BufferSource => new Uint8Array(chunk)).pipe(
    Stream.toReadableStreamEffect(),
    Effect.map((compressed) =>
      Stream.fromReadableStream({
        evaluate: () => compressed.pipeThrough(new DecompressionStream(format)),
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

const utf8 = /* @__PURE__ */ new TextDecoder()

export const decodeUtf8 = (bytes: Uint8Array): string => utf8.decode(bytes)

const collect = (self: Bytes): Effect.Effect<Uint8Array, BodyFailure> => Effect.map(Stream.runCollect(self), concat)

export const isCompressed = (bytes: Uint8Array): boolean => bytes.length > 1 && isGzip(bytes)

/**
 * Up to so many places where gzip may end, last first. Below 16 MiB, the last byte of the length that ends it is zero.
 * Other zeros may follow, but no other gzip.
 */
export const possibleEnds = (bytes: Uint8Array, count: number): ReadonlyArray<number> => {
  const ends: Array<number> = []
  let zero = bytes.lastIndexOf(0)
  while (zero >= 0 && ends.length < count) {
    if (!isGzip(bytes.subarray(zero + 1))) ends.push(zero + 1)
    while (bytes[zero - 1] === 0) zero -= 1
    zero = zero === 0 ? -1 : bytes.lastIndexOf(0, zero - 1)
  }
  return ends
}

/** Decodes a compressed text. Fails above so many mebibytes. Ignores what follows the end of gzip. */
export const decompressText = (bytes: Uint8Array, mebibytes: number): Effect.Effect<string, BodyFailure> => {
  const text = (end?: number) => collect(decompress(Stream.make(bytes.subarray(0, end)), mebibytes))
  const withoutRest = Effect.suspend(() => Effect.firstSuccessOf([...possibleEnds(bytes, 5).map(text), cutOff]))
  return Effect.map(
    Effect.catchAll(text(), (failure) => (failure.isTooLarge ? failure : withoutRest)),
    decodeUtf8
  )
}

/**
 * Reads the text of a response. Fails if the body is cut off, or larger than so many mebibytes, decompressed or not.
 */
export const readText = (response: HttpClientResponse, mebibytes: number): Effect.Effect<string, BodyFailure> => {
  const { "content-encoding": encoding, "content-length": length } = response.headers
  // The client holds the server to the length that it declares, and that takes half the CPU time of a stream.
  const whole: Effect.Effect<Uint8Array, BodyFailure> =
    encoding === undefined && Number(length) <= toBytes(mebibytes)
      ? Effect.mapBoth(response.arrayBuffer, { onFailure: () => cutOff, onSuccess: (buffer) => new Uint8Array(buffer) })
      : collect(limit(received(response), mebibytes))
  return Effect.flatMap(whole, (bytes) =>
    isCompressed(bytes) ? decompressText(bytes, mebibytes) : Effect.succeed(decodeUtf8(bytes))
  )
}
