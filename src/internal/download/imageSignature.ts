/** How to recognize the files of one format, and whether they are complete. */
interface Format {
  readonly extension: string
  readonly matches: (head: Uint8Array) => boolean
  readonly isComplete: (ends: Ends) => boolean
}

/** The first and the last bytes of a file, and its length. */
export interface Ends {
  readonly head: Uint8Array
  readonly tail: Uint8Array
  readonly length: number
}

const endLength = 12

export const noBytes: Ends = { head: new Uint8Array(), tail: new Uint8Array(), length: 0 }

const concat = (first: Uint8Array, second: Uint8Array): Uint8Array => {
  const both = new Uint8Array(first.length + second.length)
  both.set(first)
  both.set(second, first.length)
  return both
}

export const append = (ends: Ends, chunk: Uint8Array): Ends => ({
  head: ends.head.length < endLength ? concat(ends.head, chunk).slice(0, endLength) : ends.head,
  tail: concat(ends.tail, chunk.subarray(-endLength)).slice(-endLength),
  length: ends.length + chunk.length
})

const hasBytes = (bytes: Uint8Array, at: number, expected: ReadonlyArray<number>): boolean =>
  expected.every((byte, offset) => bytes[at + offset] === byte)

const ascii = (text: string): ReadonlyArray<number> => Array.from(text, (character) => character.charCodeAt(0))

const pngTrailer = [...ascii("IEND"), 0xae, 0x42, 0x60, 0x82]

const formats: ReadonlyArray<Format> = [
  {
    extension: "png",
    matches: (head) => hasBytes(head, 0, [0x89, ...ascii("PNG"), 0x0d, 0x0a, 0x1a, 0x0a]),
    isComplete: ({ tail }) => hasBytes(tail, tail.length - pngTrailer.length, pngTrailer)
  },
  {
    extension: "jpg",
    matches: (head) => hasBytes(head, 0, [0xff, 0xd8, 0xff]),
    isComplete: ({ tail }) => hasBytes(tail, tail.length - 2, [0xff, 0xd9])
  },
  {
    extension: "webp",
    matches: (head) => hasBytes(head, 0, ascii("RIFF")) && hasBytes(head, 8, ascii("WEBP")),
    isComplete: ({ head, length }) => new DataView(head.buffer, head.byteOffset).getUint32(4, true) + 8 <= length
  }
]

/** The format of a file, from its first 12 bytes. */
export const formatOf = ({ head }: Ends): Format | undefined => formats.find(({ matches }) => matches(head))

export const isUndecided = ({ head }: Ends): boolean => head.length < endLength
