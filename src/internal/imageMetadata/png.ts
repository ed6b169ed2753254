import * as Option from "effect/Option"
import { concat } from "../body.js"
import { fromLatin1, make, startsWith, view } from "./bytes.js"
import type { Metadata, Open } from "./container.js"
import { refersToManifest } from "./xmp.js"

interface Chunk {
  readonly type: string
  readonly data: Uint8Array
  readonly end: number
}

const signatureLength = 8

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  return crc
})

const crc32 = (bytes: Uint8Array): number => {
  let crc = 0xffffffff
  for (const byte of bytes) crc = (crc >>> 8) ^ (crcTable[(crc ^ byte) & 0xff] ?? 0)
  return ~crc >>> 0
}

/** The chunk at an offset, if its checksum is right. */
const readChunk = (bytes: Uint8Array, at: number): Option.Option<Chunk> => {
  if (at + 12 > bytes.length) return Option.none()
  const data = view(bytes)
  const end = at + 12 + data.getUint32(at)
  if (end > bytes.length || crc32(bytes.subarray(at + 4, end - 4)) !== data.getUint32(end - 4)) return Option.none()
  const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8))
  return Option.some({ type, data: bytes.subarray(at + 8, end - 4), end })
}

/** All chunks, if the last one ends the file. */
const readChunks = (bytes: Uint8Array): Option.Option<ReadonlyArray<Chunk>> => {
  const chunks: Array<Chunk> = []
  for (let at = signatureLength; at < bytes.length; at = chunks.at(-1)?.end ?? Infinity) {
    const chunk = Option.getOrUndefined(readChunk(bytes, at))
    if (chunk === undefined) return Option.none()
    chunks.push(chunk)
  }
  return Option.some(chunks)
}

const chunk = (type: string, data: Uint8Array): Uint8Array => {
  const named = concat([fromLatin1(type), data])
  return make(named.length + 8, (view) => {
    view.setUint32(0, data.length)
    new Uint8Array(view.buffer).set(named, 4)
    view.setUint32(named.length + 4, crc32(named))
  })
}

const isLatin1 = /^[\t\n -~\u00a0-\u00ff]*$/

const international = (keyword: string, utf8: Uint8Array): Uint8Array =>
  // Not compressed, without a language, without a translated keyword.
  chunk("iTXt", concat([fromLatin1(`${keyword}\0\0\0\0\0`), utf8]))

/** Text in the oldest kind of chunk that can hold it, as PIL and A1111 write it. */
const text = (keyword: string, content: string): Uint8Array =>
  isLatin1.test(content)
    ? chunk("tEXt", fromLatin1(`${keyword}\0${content}`))
    : international(keyword, new TextEncoder().encode(content))

const keywords = { parameters: "parameters", xmp: "XML:com.adobe.xmp" }

/**
 * Adds text chunks after the header of a PNG.
 *
 * Written here: png-chunks-extract 1.0.0 drops what follows the end and copies each chunk, png-chunk-text 1.0.0 writes
 * Latin-1 only, and fast-png 8.0.0 writes text only into an image that it encodes itself.
 */
export const openPng: Open = (bytes) =>
  Option.flatMap(readChunks(bytes), (chunks) => {
    const [header] = chunks
    const isWhole =
      header?.type === "IHDR" &&
      header.data.length === 13 &&
      chunks.some(({ type }) => type === "IDAT") &&
      chunks.findIndex(({ type }) => type === "IEND") === chunks.length - 1
    if (!isWhole) return Option.none()

    const textsNamed = (keyword: string) =>
      chunks.filter(({ data, type }) => /^(tEX|zTX|iTX)t$/.test(type) && startsWith(data, `${keyword}\0`))
    const ownXmp = textsNamed(keywords.xmp)
    const isSigned = chunks.some(({ type }) => type === "caBX") || ownXmp.some(({ data }) => refersToManifest(data))
    if (isSigned) return Option.none()

    const hasParameters = textsNamed(keywords.parameters).length > 0
    const add = ({ parameters, xmp }: Metadata) =>
      concat([
        bytes.subarray(0, header.end),
        ...(parameters === undefined || hasParameters ? [] : [text(keywords.parameters, parameters(Infinity))]),
        ...(ownXmp.length > 0 ? [] : [international(keywords.xmp, xmp)]),
        bytes.subarray(header.end)
      ])
    const size = { width: view(header.data).getUint32(0), height: view(header.data).getUint32(4) }
    return Option.some({ size, add })
  })
