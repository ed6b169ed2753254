import { crc32 } from "node:zlib"

/** A chunk or a segment of an image. The compressed data of a JPEG, to its end, is one part. */
export interface Part {
  readonly name: string
  readonly data: Buffer
}

const pngParts = (file: Buffer): ReadonlyArray<Part> => {
  const parts: Array<Part> = []
  for (let at = 8; at < file.length;) {
    const length = file.readUInt32BE(at)
    parts.push({ name: file.toString("latin1", at + 4, at + 8), data: file.subarray(at + 8, at + 8 + length) })
    at += length + 12
  }
  return parts
}

const jpegParts = (file: Buffer): ReadonlyArray<Part> => {
  const parts: Array<Part> = []
  for (let at = 2; ;) {
    const marker = file.readUInt8(at + 1)
    if (marker === 0xda) return [...parts, { name: "data", data: file.subarray(at) }]
    const length = file.readUInt16BE(at + 2)
    parts.push({ name: marker.toString(16), data: file.subarray(at + 4, at + 2 + length) })
    at += length + 2
  }
}

const webpParts = (file: Buffer): ReadonlyArray<Part> => {
  const parts: Array<Part> = []
  for (let at = 12; at < file.length;) {
    const length = file.readUInt32LE(at + 4)
    parts.push({ name: file.toString("latin1", at, at + 4), data: file.subarray(at + 8, at + 8 + length) })
    at += 8 + length + (length % 2)
  }
  return parts
}

/** The parts of an image, in their order. */
export const partsOf = (bytes: Uint8Array): ReadonlyArray<Part> => {
  const file = Buffer.from(bytes)
  if (file.readUInt8(0) === 0x89) return pngParts(file)
  return file.readUInt8(0) === 0xff ? jpegParts(file) : webpParts(file)
}

/** The text of a PNG under a keyword. */
const pngText = (parts: ReadonlyArray<Part>, keyword: string): string | undefined => {
  const found = parts.find(({ data, name }) => /^[ti][TE]Xt$/.test(name) && data.indexOf(`${keyword}\0`) === 0)
  return found?.name === "tEXt"
    ? found.data.toString("latin1", keyword.length + 1)
    : found?.data.toString("utf8", keyword.length + 5)
}

const contentAfter = (parts: ReadonlyArray<Part>, name: string, prefix: string): Buffer | undefined =>
  parts
    .find((part) => part.name === name && part.data.toString("latin1").startsWith(prefix))
    ?.data.subarray(prefix.length)

/** The UserComment of EXIF data, in the byte order of the data. */
const userComment = (exif: Buffer): string | undefined => {
  const isLittle = exif.toString("latin1", 0, 2) === "II"
  const uint16 = (at: number) => (isLittle ? exif.readUInt16LE(at) : exif.readUInt16BE(at))
  const uint32 = (at: number) => (isLittle ? exif.readUInt32LE(at) : exif.readUInt32BE(at))
  const entry = (directory: number, tag: number) =>
    Array.from({ length: uint16(directory) }, (_, index) => directory + 2 + index * 12).find((at) => uint16(at) === tag)
  const pointer = entry(uint32(4), 0x8769)
  const at = pointer === undefined ? undefined : entry(uint32(pointer + 8), 0x9286)
  if (at === undefined) return undefined
  const content = Buffer.from(exif.subarray(uint32(at + 8), uint32(at + 8) + uint32(at + 4)))
  const text = content.subarray(8)
  return content.toString("latin1", 0, 8) === "UNICODE\0"
    ? (isLittle ? text : text.swap16()).toString("utf16le")
    : text.toString("latin1")
}

/** The text that says how an image was generated, from where A1111 and the readers of its images look. */
export const parametersOf = (bytes: Uint8Array): string | undefined => {
  const parts = partsOf(bytes)
  const exif = contentAfter(parts, "e1", "Exif\0\0") ?? contentAfter(parts, "EXIF", "")
  return exif === undefined ? pngText(parts, "parameters") : userComment(exif)
}

/** The XMP packet of an image. */
export const xmpOf = (bytes: Uint8Array): string | undefined => {
  const parts = partsOf(bytes)
  const packet = contentAfter(parts, "e1", "http://ns.adobe.com/xap/1.0/\0") ?? contentAfter(parts, "XMP ", "")
  return packet?.toString("utf8") ?? pngText(parts, "XML:com.adobe.xmp")
}

/** The parts that hold pixels, byte for byte. */
export const imageDataOf = (bytes: Uint8Array): ReadonlyArray<Part> =>
  partsOf(bytes).filter(({ name }) => /^(IHDR|IDAT|IEND|PLTE|db|c.|data|VP8.|ALPH|ANMF)$/.test(name) && name !== "VP8X")

const uint32be = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** A PNG with one chunk more, after its header. */
export const withPngChunk = (png: Uint8Array, type: string, data: Uint8Array): Uint8Array => {
  const named = Buffer.concat([Buffer.from(type, "latin1"), data])
  const chunk = Buffer.concat([uint32be(data.length), named, uint32be(crc32(named))])
  return new Uint8Array(Buffer.concat([png.subarray(0, 33), chunk, png.subarray(33)]))
}

/** A JPEG with one segment more, after its first one. */
export const withJpegSegment = (jpeg: Uint8Array, marker: number, data: Uint8Array): Uint8Array => {
  const length = data.length + 2
  const head = Buffer.from([0xff, marker, length >> 8, length & 0xff])
  return new Uint8Array(Buffer.concat([jpeg.subarray(0, 20), head, data, jpeg.subarray(20)]))
}

/** A WebP with one chunk more, at its end. */
export const withWebpChunk = (webp: Uint8Array, type: string, data: Uint8Array): Uint8Array => {
  const length = Buffer.alloc(4)
  length.writeUInt32LE(data.length)
  const file = Buffer.concat([webp, Buffer.from(type, "latin1"), length, data, Buffer.alloc(data.length % 2)])
  file.writeUInt32LE(file.length - 8, 4)
  return new Uint8Array(file)
}
