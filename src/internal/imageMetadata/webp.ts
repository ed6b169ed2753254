import * as Option from "effect/Option"
import { concat } from "../body.js"
import { fromLatin1, make, view } from "./bytes.js"
import type { Metadata, Open, Size } from "./container.js"
import { emptyExif, withUserComment } from "./exif.js"
import { refersToManifest } from "./xmp.js"

interface Chunk {
  readonly type: string
  readonly data: Uint8Array
}

const flags = { alpha: 0x10, exif: 0x08, xmp: 0x04 }

/** All chunks, if they fill the file. */
const readChunks = (bytes: Uint8Array): Option.Option<ReadonlyArray<Chunk>> => {
  if (view(bytes).getUint32(4, true) !== bytes.length - 8) return Option.none()
  const chunks: Array<Chunk> = []
  for (let at = 12; at < bytes.length;) {
    if (at + 8 > bytes.length) return Option.none()
    const end = at + 8 + view(bytes).getUint32(at + 4, true)
    chunks.push({ type: String.fromCharCode(...bytes.subarray(at, at + 4)), data: bytes.subarray(at + 8, end) })
    // Chunks start at even offsets.
    at = end + (end % 2)
    if (at > bytes.length) return Option.none()
  }
  return Option.some(chunks)
}

const write = ({ data, type }: Chunk): Uint8Array => {
  const length = make(4, (view) => {
    view.setUint32(0, data.length, true)
  })
  return concat([fromLatin1(type), length, data, new Uint8Array(data.length % 2)])
}

const writeFile = (chunks: ReadonlyArray<Chunk>): Uint8Array => {
  const body = concat([fromLatin1("WEBP"), ...chunks.map(write)])
  const length = make(4, (data) => {
    data.setUint32(0, body.length, true)
  })
  return concat([fromLatin1("RIFF"), length, body])
}

const uint24 = (data: DataView, at: number): number => data.getUint16(at, true) + (data.getUint8(at + 2) << 16)

/** The header of a file that has more than its image data. */
const makeHeader = ({ height, width }: Size, hasAlpha: boolean): Chunk => ({
  type: "VP8X",
  data: make(10, (data) => {
    data.setUint8(0, hasAlpha ? flags.alpha : 0)
    data.setUint32(4, (width - 1) | ((height - 1) << 24), true)
    data.setUint16(8, (height - 1) >> 8, true)
  })
})

/** The header of a file: its own, or a new one, because a file of image data alone cannot hold more. */
const headerOf = (chunks: ReadonlyArray<Chunk>): Option.Option<{ readonly header: Chunk; readonly size: Size }> => {
  const [first, ...more] = chunks
  if (first === undefined || first.data.length < 10) return Option.none()
  const data = view(first.data)
  if (first.type === "VP8X") {
    return Option.some({ header: first, size: { width: uint24(data, 4) + 1, height: uint24(data, 7) + 1 } })
  }
  if (more.length > 0) return Option.none()
  if (first.type === "VP8 " && uint24(data, 3) === 0x2a019d) {
    const size = { width: data.getUint16(6, true) & 0x3fff, height: data.getUint16(8, true) & 0x3fff }
    return Option.some({ header: makeHeader(size, false), size })
  }
  if (first.type === "VP8L" && data.getUint8(0) === 0x2f) {
    const bits = data.getUint32(1, true)
    const size = { width: (bits & 0x3fff) + 1, height: ((bits >> 14) & 0x3fff) + 1 }
    return Option.some({ header: makeHeader(size, ((bits >> 28) & 1) === 1), size })
  }
  return Option.none()
}

const withFlags = ({ data, type }: Chunk, added: number): Chunk => ({
  type,
  data: Uint8Array.from(data, (byte, at) => (at === 0 ? byte | added : byte))
})

const imageTypes: ReadonlySet<string> = new Set(["VP8 ", "VP8L", "ANMF"])

const isMetadata = ({ type }: Chunk): boolean => type === "EXIF" || type === "XMP "

/**
 * Adds chunks after the image data of a WebP.
 *
 * Written here: node-webpmux 3.2.1 needs Node and contains a codec of half a megabyte.
 */
export const openWebp: Open = (bytes) =>
  Option.gen(function* () {
    const chunks = yield* readChunks(bytes)
    const { header, size } = yield* headerOf(chunks)
    const all = (type: string) => chunks.filter((chunk) => chunk.type === type)
    const [ownExif, ownXmp] = [all("EXIF"), all("XMP ")]
    const isSigned = all("C2PA").length > 0 || ownXmp.some(({ data }) => refersToManifest(data))
    const hasImage = size.width > 0 && size.height > 0 && chunks.some(({ type }) => imageTypes.has(type))
    if (!hasImage || isSigned || ownExif.length > 1 || ownXmp.length > 1) return yield* Option.none()

    const exifWith = (parameters: Metadata["parameters"]): ReadonlyArray<Chunk> =>
      Option.fromNullable(parameters).pipe(
        Option.flatMap((parameters) => withUserComment(ownExif[0]?.data ?? emptyExif, parameters(Infinity))),
        Option.match({ onNone: () => ownExif, onSome: (data) => [{ type: "EXIF", data }] })
      )

    const add = ({ parameters, xmp }: Metadata) => {
      const exif = exifWith(parameters)
      return writeFile([
        withFlags(header, flags.xmp | (exif.length > 0 ? flags.exif : 0)),
        ...chunks.filter((chunk) => chunk !== header && !isMetadata(chunk)),
        ...exif,
        ...(ownXmp.length > 0 ? ownXmp : [{ type: "XMP ", data: xmp }])
      ])
    }
    return { size, add }
  })
