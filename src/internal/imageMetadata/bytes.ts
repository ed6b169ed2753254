export const view = ({ buffer, byteLength, byteOffset }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, byteLength)

/** A piece of a file, filled in by `write`. */
export const make = (length: number, write: (data: DataView) => void): Uint8Array => {
  const bytes = new Uint8Array(length)
  write(view(bytes))
  return bytes
}

/** Latin-1, of which ASCII is a part. */
export const fromLatin1 = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0))

export const startsWith = (bytes: Uint8Array, text: string): boolean =>
  fromLatin1(text).every((byte, at) => bytes[at] === byte)
