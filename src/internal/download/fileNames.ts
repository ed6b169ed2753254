// With `-0-2.webp` after it, a name of 130 bytes fits into the 143 bytes that eCryptfs allows.
const maxBytes = 130
// With a seed after it, leaves room for the number of a name that is taken.
const maxSlugBytes = 110

/** The start of a text, at most so many UTF-8 bytes long. Splits no character. */
const startOf = (text: string, bytes: number): string =>
  text.slice(0, new TextEncoder().encodeInto(text, new Uint8Array(bytes)).read)

// Letters of the Latin script without an ASCII form are separators too. Letters of other scripts are not.
const separators = /(?:[\p{scx=Latin}\p{scx=Common}\p{scx=Inherited}](?<![a-z0-9])|[^\p{L}\p{N}\p{M}])+/gu

/** A text as lowercase words with hyphens between them. Letters of other scripts than Latin are kept. */
export const slug = (text: string, maxLength: number): string => {
  const hyphenated = text
    .normalize("NFKD")
    // Marks of other letters are part of them: `й`, `が`.
    .replace(/(^|[\0-\x7f])\p{M}+/gu, "$1")
    .normalize("NFC")
    .toLowerCase()
    .replace(separators, "-")
  return startOf(Array.from(hyphenated).slice(0, maxLength).join(""), maxSlugBytes).replace(/^-|-$/g, "")
}

/** The parts that are not empty, with hyphens between them. */
export const joined = (...parts: ReadonlyArray<string>): string => parts.filter((part) => part !== "").join("-")

/** Replaces what some file systems or shells reject in a name. */
const safeName = (name: string): string =>
  startOf(name.normalize("NFC").replace(/[<>:"/\\|?*\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu, "-"), maxBytes).replace(
    /^[-.\s]+|[-.\s]+$/g,
    ""
  )

const placeholder = "{index}"

// Windows reserves these names, with any extension.
const reserved = /^(con|prn|aux|nul|(com|lpt)[0-9¹²³]|con(in|out)\$)(\.|$)/i

/** The name of the file of an image, without its extension. */
export const stemOf = (start: string, index: number): string => {
  const name = safeName(start)
  const stem = name.includes(placeholder) ? name.replaceAll(placeholder, String(index)) : joined(name, String(index))
  return reserved.test(stem) ? `image-${stem}` : stem
}
