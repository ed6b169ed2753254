import { constFalse } from "effect/Function"
import { concat } from "../body.js"

/** What the structure of a file asks for: skip and then read some bytes, or skip to the byte after the next 0xff. */
type Step = { readonly skip: number; readonly read: number } | "marker"

/** Walks a file to its end. Is given what each step reads. */
type Structure = Generator<Step, void, Uint8Array>

/** How to recognize the files of one format, and where they end. */
export interface Format {
  readonly extension: string
  readonly mediaType: "image/png" | "image/jpeg" | "image/webp"
  readonly matches: (start: Uint8Array) => boolean
  readonly structure: () => Structure
}

const hasBytes = (bytes: Uint8Array, at: number, expected: ReadonlyArray<number>): boolean =>
  expected.every((byte, offset) => bytes[at + offset] === byte)

const ascii = (text: string): ReadonlyArray<number> => Array.from(text, (character) => character.charCodeAt(0))

const view = ({ buffer, byteLength, byteOffset }: Uint8Array) => new DataView(buffer, byteOffset, byteLength)

/** Chunks of a length, a type, that many bytes, and a checksum. The last one is IEND. */
function* png(): Structure {
  let skip = 8
  for (;;) {
    const chunk = yield { skip, read: 8 }
    skip = view(chunk).getUint32(0) + 4
    if (hasBytes(chunk, 4, ascii("IEND"))) break
  }
  yield { skip, read: 0 }
}

const endOfImage = 0xd9

// 00 is a data byte that follows an 0xff, d0 to d7 are restarts between data, and d8 is the start of the image.
const isSegment = (marker: number): boolean => marker > 0x01 && (marker < 0xd0 || marker > endOfImage)

/** Segments, each with a length, which may contain a smaller image, and compressed data, which has no length. */
function* jpeg(): Structure {
  for (;;) {
    yield "marker"
    let marker: number | undefined = 0xff
    while (marker === 0xff) [marker] = yield { skip: 0, read: 1 }
    if (marker === endOfImage) return
    if (marker !== undefined && isSegment(marker)) {
      const length = view(yield { skip: 0, read: 2 }).getUint16(0)
      yield { skip: Math.max(0, length - 2), read: 0 }
    }
  }
}

function* webp(): Structure {
  const size = yield { skip: 4, read: 4 }
  yield { skip: view(size).getUint32(0, true), read: 0 }
}

const formats: ReadonlyArray<Format> = [
  {
    extension: "png",
    mediaType: "image/png",
    matches: (start) => hasBytes(start, 0, [0x89, ...ascii("PNG"), 0x0d, 0x0a, 0x1a, 0x0a]),
    structure: png
  },
  {
    extension: "jpg",
    mediaType: "image/jpeg",
    matches: (start) => hasBytes(start, 0, [0xff, 0xd8, 0xff]),
    structure: jpeg
  },
  {
    extension: "webp",
    mediaType: "image/webp",
    matches: (start) => hasBytes(start, 0, ascii("RIFF")) && hasBytes(start, 8, ascii("WEBP")),
    structure: webp
  }
]

const noBytes = new Uint8Array()

/**
 * Walks a structure through the bytes of a file as they arrive, and keeps few of them. Returns whether it has ended.
 */
const walk = (structure: Structure): ((bytes: Uint8Array) => boolean) => {
  let pending: Uint8Array = noBytes
  let next = structure.next()
  let skipped = 0

  /** Takes one step, if enough bytes are there. */
  const advance = (step: Step): boolean => {
    const skip = step === "marker" ? pending.indexOf(0xff) + 1 || Infinity : step.skip - skipped
    const dropped = Math.min(skip, pending.length)
    const rest = pending.subarray(dropped)
    const read = step === "marker" ? 0 : step.read
    const isDone = dropped === skip && rest.length >= read
    skipped = isDone ? 0 : skipped + dropped
    pending = isDone ? rest.subarray(read) : rest
    if (isDone) next = structure.next(rest.subarray(0, read))
    return isDone
  }

  const hasEnded = () => next.done === true

  return (bytes) => {
    if (hasEnded()) return true
    pending = pending.length === 0 ? bytes : concat([pending, bytes])
    while (next.done !== true && advance(next.value));
    return hasEnded()
  }
}

/** What the bytes of a file so far say. */
export interface Scanned {
  readonly format: Format | undefined
  /** Too few bytes to tell that it is none of the formats. */
  readonly isUndecided: boolean
  readonly isComplete: boolean
}

const longestSignature = 12

/**
 * Recognizes an image from its bytes as they arrive, and finds its end. Other bytes may follow the end.
 *
 * Written here because no package finds the end of an image without all of its bytes: `image-size` and `file-type` read
 * only the start, and `pngjs` decodes the whole image.
 */
export const makeImageScan = (): ((bytes: Uint8Array) => Scanned) => {
  let start: Uint8Array = noBytes
  let format: Format | undefined
  let hasEnded: (bytes: Uint8Array) => boolean = constFalse

  return (bytes) => {
    if (format !== undefined) return { format, isUndecided: false, isComplete: hasEnded(bytes) }
    start = concat([start, bytes])
    format = formats.find(({ matches }) => matches(start))
    if (format !== undefined) hasEnded = walk(format.structure())
    return { format, isUndecided: start.length < longestSignature, isComplete: hasEnded(start) }
  }
}
