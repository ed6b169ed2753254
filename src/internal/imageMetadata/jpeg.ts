import * as Option from "effect/Option"
import { concat } from "../body.js"
import { makeImageScan } from "../download/imageScan.js"
import { fromLatin1, make, startsWith, view } from "./bytes.js"
import type { Metadata, Open } from "./container.js"
import { emptyExif, withUserComment } from "./exif.js"
import { refersToManifest } from "./xmp.js"

/** A segment before the compressed data. */
interface Segment {
  readonly marker: number
  readonly content: Uint8Array
  /** With its marker and its length. */
  readonly whole: Uint8Array
}

const markers = { app0: 0xe0, app1: 0xe1, app11: 0xeb, startOfScan: 0xda }

const names = { exif: "Exif\0\0", xmp: "http://ns.adobe.com/xap/1.0/\0", jumbf: "JP" }

/** The most that a segment can hold. */
const longestContent = 65_533

const isNamed = ({ content, marker }: Segment, expected: number, name: string): boolean =>
  marker === expected && startsWith(content, name)

/** The segment at an offset. Any number of 0xff may come before its marker. */
const readSegment = (bytes: Uint8Array, at: number): Option.Option<Segment> => {
  let markerAt = at + 1
  while (bytes[markerAt] === 0xff) markerAt += 1
  const marker = bytes[markerAt]
  if (bytes[at] !== 0xff || marker === undefined || marker < 0xc0 || markerAt + 3 > bytes.length) return Option.none()
  const end = markerAt + 1 + view(bytes).getUint16(markerAt + 1)
  return end < markerAt + 3 || end > bytes.length
    ? Option.none()
    : Option.some({ marker, content: bytes.subarray(markerAt + 3, end), whole: bytes.subarray(at, end) })
}

const startOfImage = [0xff, 0xd8]

/** The segments before the compressed data. */
const readSegments = (bytes: Uint8Array): Option.Option<ReadonlyArray<Segment>> => {
  const segments: Array<Segment> = []
  for (let at = startOfImage.length; ;) {
    const segment = Option.getOrUndefined(readSegment(bytes, at))
    if (segment === undefined) return Option.none()
    if (segment.marker === markers.startOfScan) return Option.some(segments)
    segments.push(segment)
    at += segment.whole.length
  }
}

/** Whether the image ends with the last byte. */
const endsWithFile = (bytes: Uint8Array): boolean => {
  const scan = makeImageScan()
  return !scan(bytes.subarray(0, -1)).isComplete && scan(bytes.subarray(-1)).isComplete
}

const appSegment = (name: string, content: Uint8Array): Uint8Array => {
  const named = concat([fromLatin1(name), content])
  const head = make(4, (data) => {
    data.setUint16(0, 0xff00 + markers.app1)
    data.setUint16(2, named.length + 2)
  })
  return concat([head, named])
}

// C4 defines tables, C8 is reserved, and CC sets the conditions of a coding.
const isFrame = ({ content, marker }: Segment): boolean =>
  marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker) && content.length >= 6

/** EXIF data with the parameters, shortened to what a segment holds. None: it has a comment, or no room. */
const withParameters = (exif: Uint8Array, parameters: (maxLength: number) => string): Option.Option<Uint8Array> => {
  const longest = longestContent - names.exif.length
  // What is added to the data can be as long as the data. A code unit takes two bytes.
  const room = Math.floor((longest - exif.length * 2) / 2) - 100
  return room < 1_000
    ? Option.none()
    : Option.filter(withUserComment(exif, parameters(room)), ({ length }) => length <= longest)
}

/**
 * Adds segments after the header of a JPEG.
 *
 * Written here: piexif-ts 2.1.0 handles only EXIF, and removes what it does not know from it.
 */
export const openJpeg: Open = (bytes) =>
  Option.flatMap(readSegments(bytes), (segments) => {
    const frame = segments.find(isFrame)
    if (frame === undefined || !endsWithFile(bytes)) return Option.none()

    const ownExif = segments.filter((segment) => isNamed(segment, markers.app1, names.exif))
    const ownXmp = segments.filter((segment) => isNamed(segment, markers.app1, names.xmp))
    const isSigned =
      segments.some((segment) => isNamed(segment, markers.app11, names.jumbf)) ||
      ownXmp.some(({ content }) => refersToManifest(content))
    if (isSigned) return Option.none()

    /** The EXIF segment with the parameters in it, unless there are several, or it has a comment. */
    const exifWith = (parameters: Metadata["parameters"]): Option.Option<Uint8Array> =>
      parameters === undefined || ownExif.length > 1
        ? Option.none()
        : Option.map(withParameters(ownExif[0]?.content.subarray(names.exif.length) ?? emptyExif, parameters), (exif) =>
            appSegment(names.exif, exif)
          )

    const add = ({ parameters, xmp }: Metadata) => {
      const exif = Option.getOrUndefined(exifWith(parameters))
      const isHead = (segment: Segment) => segment.marker === markers.app0 || ownExif.includes(segment)
      const body = segments.findIndex((segment) => !isHead(segment))
      const kept = (part: ReadonlyArray<Segment>) =>
        part.map((segment) => (exif !== undefined && ownExif.includes(segment) ? exif : segment.whole))
      const length = segments.reduce((sum, { whole }) => sum + whole.length, startOfImage.length)
      return concat([
        bytes.subarray(0, startOfImage.length),
        ...kept(segments.slice(0, body)),
        ...(exif === undefined || ownExif.length > 0 ? [] : [exif]),
        ...(ownXmp.length > 0 ? [] : [appSegment(names.xmp, xmp)]),
        ...kept(segments.slice(body)),
        bytes.subarray(length)
      ])
    }
    const size = { width: view(frame.content).getUint16(3), height: view(frame.content).getUint16(1) }
    return Option.some({ size, add })
  })
