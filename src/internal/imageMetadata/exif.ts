import * as Option from "effect/Option"
import { concat } from "../body.js"
import { fromLatin1, make, startsWith, view } from "./bytes.js"

const tags = { exifDirectory: 0x8769, userComment: 0x9286 }
const types = { offset: 4, bytes: 7 }
const entrySize = 12

/** A directory of a TIFF structure: its entries, and the offset of the next directory. */
interface Directory {
  readonly entries: ReadonlyArray<Uint8Array>
  readonly next: number
}

/** How a TIFF structure is read and written in its byte order. */
const inOrder = (isLittleEndian: boolean) => {
  const uint16 = (values: ReadonlyArray<number>) =>
    make(values.length * 2, (data) => {
      values.forEach((value, index) => {
        data.setUint16(index * 2, value, isLittleEndian)
      })
    })

  const uint32 = (value: number) =>
    make(4, (data) => {
      data.setUint32(0, value, isLittleEndian)
    })

  const tagOf = (entry: Uint8Array): number => view(entry).getUint16(0, isLittleEndian)

  const offsetAt = (bytes: Uint8Array, at: number): number => view(bytes).getUint32(at, isLittleEndian)

  const readDirectory = (tiff: Uint8Array, at: number): Option.Option<Directory> => {
    if (at + 2 > tiff.length) return Option.none()
    const count = view(tiff).getUint16(at, isLittleEndian)
    const entryAt = (index: number) => at + 2 + index * entrySize
    if (entryAt(count) + 4 > tiff.length) return Option.none()
    const entries = Array.from({ length: count }, (_, index) => tiff.subarray(entryAt(index), entryAt(index + 1)))
    return Option.some({ entries, next: offsetAt(tiff, entryAt(count)) })
  }

  /** A directory with one entry more, or another one of that tag. Entries are in the order of their tags. */
  const withEntry = ({ entries, next }: Directory, tag: number, type: number, count: number, value: number) => {
    const entry = concat([uint16([tag, type]), uint32(count), uint32(value)])
    const all = [...entries.filter((other) => tagOf(other) !== tag), entry]
    return concat([uint16([all.length]), ...all.toSorted((one, other) => tagOf(one) - tagOf(other)), uint32(next)])
  }

  return { uint16, uint32, tagOf, offsetAt, readDirectory, withEntry }
}

/** EXIF without an entry. Big-endian, as A1111 writes it: not every reader of its text looks at the byte order. */
export const emptyExif = make(14, (data) => {
  data.setUint32(0, 0x4d4d002a)
  data.setUint32(4, 8)
})

/**
 * Adds a comment to EXIF data. None: it has a comment already, or it is damaged.
 *
 * Appends the comment and new copies of the directories, and moves nothing, because tags such as a camera's own notes
 * contain offsets. piexif-ts 2.1.0 writes all of it again, without the tags that it does not know, reads only JPEG, and
 * names an entry for ES modules that it does not contain.
 */
export const withUserComment = (tiff: Uint8Array, comment: string): Option.Option<Uint8Array> =>
  Option.gen(function* () {
    const isLittleEndian = startsWith(tiff, "II*\0")
    if (tiff.length < 8 || !(isLittleEndian || startsWith(tiff, "MM\0*"))) return yield* Option.none()
    const { offsetAt, readDirectory, tagOf, uint16, uint32, withEntry } = inOrder(isLittleEndian)
    const main = yield* readDirectory(tiff, offsetAt(tiff, 4))
    const pointer = main.entries.find((entry) => tagOf(entry) === tags.exifDirectory)
    const exif = yield* pointer === undefined
      ? Option.some({ entries: [], next: 0 })
      : readDirectory(tiff, offsetAt(pointer, 8))
    if (exif.entries.some((entry) => tagOf(entry) === tags.userComment)) return yield* Option.none()

    const codeUnits = Array.from({ length: comment.length }, (_, index) => comment.charCodeAt(index))
    const content = concat([fromLatin1("UNICODE\0"), uint16(codeUnits)])
    // A directory starts at an even offset.
    const contentAt = tiff.length + (tiff.length % 2)
    const exifAt = contentAt + content.length
    const newExif = withEntry(exif, tags.userComment, types.bytes, content.length, contentAt)
    const newMain = withEntry(main, tags.exifDirectory, types.offset, 1, exifAt)
    return concat([
      tiff.subarray(0, 4),
      uint32(exifAt + newExif.length),
      tiff.subarray(8),
      new Uint8Array(contentAt - tiff.length),
      content,
      newExif,
      newMain
    ])
  })
