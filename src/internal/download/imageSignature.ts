/** How the files of one format begin and end. */
interface Format {
  readonly extension: string
  readonly begins: (head: Uint8Array) => boolean
  readonly isWhole: (ends: Ends) => boolean
}

/** The first and the last bytes of a file, and how many there are in all. */
export interface Ends {
  readonly head: Uint8Array
  readonly tail: Uint8Array
  readonly length: number
}

const keep = 12

export const noBytes: Ends = { head: new Uint8Array(), tail: new Uint8Array(), length: 0 }

const concat = (first: Uint8Array, second: Uint8Array): Uint8Array => {
  const both = new Uint8Array(first.length + second.length)
  both.set(first)
  both.set(second, first.length)
  return both
}

export const append = (ends: Ends, chunk: Uint8Array): Ends => ({
  head: ends.head.length < keep ? concat(ends.head, chunk).slice(0, keep) : ends.head,
  tail: concat(ends.tail, chunk.subarray(-keep)).slice(-keep),
  length: ends.length + chunk.length
})

const matches = (bytes: Uint8Array, at: number, expected: ReadonlyArray<number>): boolean =>
  expected.every((byte, offset) => bytes[at + offset] === byte)

const ascii = (text: string): ReadonlyArray<number> => Array.from(text, (character) => character.charCodeAt(0))

const endOfPng = [...ascii("IEND"), 0xae, 0x42, 0x60, 0x82]

const formats: ReadonlyArray<Format> = [
  {
    extension: "png",
    begins: (head) => matches(head, 0, [0x89, ...ascii("PNG"), 0x0d, 0x0a, 0x1a, 0x0a]),
    isWhole: ({ tail }) => matches(tail, tail.length - endOfPng.length, endOfPng)
  },
  {
    extension: "jpg",
    begins: (head) => matches(head, 0, [0xff, 0xd8, 0xff]),
    isWhole: ({ tail }) => matches(tail, tail.length - 2, [0xff, 0xd9])
  },
  {
    extension: "webp",
    begins: (head) => matches(head, 0, ascii("RIFF")) && matches(head, 8, ascii("WEBP")),
    isWhole: ({ head, length }) => new DataView(head.buffer, head.byteOffset).getUint32(4, true) + 8 <= length
  }
]

/** The format that a file's first bytes announce. It takes twelve of them to tell. */
export const formatOf = ({ head }: Ends): Format | undefined => formats.find(({ begins }) => begins(head))

export const isUndecided = ({ head }: Ends): boolean => head.length < keep
