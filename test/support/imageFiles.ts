import { encode } from "fast-png"

const bytes = (...parts: ReadonlyArray<number | string>): ReadonlyArray<number> =>
  parts.flatMap((part) => (typeof part === "number" ? [part] : [...Buffer.from(part, "latin1")]))

/** A segment of a JPEG: a marker, a length, and content. */
const segment = (marker: number, content: ReadonlyArray<number>) => [
  0xff,
  marker,
  (content.length + 2) >> 8,
  (content.length + 2) & 0xff,
  ...content
]

const startOfImage = [0xff, 0xd8]
const endOfImage = [0xff, 0xd9]
const thumbnail = [...startOfImage, ...segment(0xda, [1, 0]), 7, 0xff, 0, 7, ...endOfImage]
const data = [1, 0xff, 0x00, 0xd9, 0xff, 0xd0, 2, 0xff, 0xd7, 3, 0xff, 0x00]

/** A structure with all that a search for the end of a JPEG may stumble over. It has no pixels. */
export const jpeg = new Uint8Array([
  ...startOfImage,
  ...segment(0xe0, bytes("JFIF", 0, 1, 1, 0, 0, 72, 0, 72, 0, 0)),
  ...segment(0xe1, [...bytes("Exif", 0, 0), ...thumbnail]),
  ...segment(
    0xdb,
    Array.from({ length: 65 }, () => 0xff)
  ),
  0xff, // Any number of these may come before a marker.
  ...segment(0xc2, [8, 0, 8, 0, 8, 1, 1, 0x11, 0]),
  ...segment(0xda, [1, 1, 0, 0, 0, 1]),
  ...data,
  ...segment(
    0xc4,
    Array.from({ length: 20 }, () => 0xd9)
  ),
  ...segment(0xda, [1, 1, 0, 1, 5, 0]),
  ...data,
  0xff,
  ...endOfImage
])

const pixels = Uint8Array.from({ length: 64 * 64 * 3 }, (_, index) => (index * 2654435761) >>> 24)

/** A PNG whose metadata contains the name of its last chunk. */
export const png = encode({
  width: 64,
  height: 64,
  channels: 3,
  data: pixels,
  text: { Comment: `IEND${String.fromCharCode(0xae, 0x42, 0x60, 0x82)}` }
})

export const webp = new Uint8Array(bytes("RIFF", 22, 0, 0, 0, "WEBPVP8 ", 10, 0, 0, 0, "0123456789"))

/** Bytes that may follow the end of an image. */
export const trailers: ReadonlyArray<readonly [string, Uint8Array]> = [
  ["a newline", Buffer.from("\r\n")],
  ["zeros", new Uint8Array(3_000)],
  ["0xff", new Uint8Array(3_000).fill(0xff)],
  ["a page", Buffer.from("<!-- cached -->")],
  ["an archive", Buffer.from([0x50, 0x4b, 3, 4])],
  ["another image", new Uint8Array(jpeg)]
]
