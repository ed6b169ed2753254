/** A set of row numbers. A bit for each: a batch may have millions of rows. */
export interface NumberSet {
  readonly add: (number: number) => void
  readonly has: (number: number) => boolean
}

export const makeNumberSet = (): NumberSet => {
  let bits = new Uint8Array(64)
  return {
    add: (number) => {
      const index = number >> 3
      if (index >= bits.length) {
        const larger = new Uint8Array(Math.max(bits.length * 2, index + 1))
        larger.set(bits)
        bits = larger
      }
      bits[index] = (bits[index] ?? 0) | (1 << (number & 7))
    },
    has: (number) => ((bits[number >> 3] ?? 0) & (1 << (number & 7))) !== 0
  }
}
