import * as Encoding from "effect/Encoding"
import * as Option from "effect/Option"

const head = /^\s*data:([^,]*?)(;\s*base64)?\s*,/i

export const isDataUrl = (url: string): boolean => /^\s*data:/i.test(url)

/** The start of a URL, without the content of a `data:` URL. */
export const withoutContent = (url: string): string => (isDataUrl(url) ? `${head.exec(url)?.[0] ?? "data:"}…` : url)

/** Each character of a text as a byte. `Uint8Array.from` would take seconds for a large image. */
const toBytes = (text: string): Uint8Array => {
  const bytes = new Uint8Array(text.length)
  for (let index = 0; index < text.length; index += 1) bytes[index] = text.charCodeAt(index)
  return bytes
}

const unescape = (text: string): string =>
  text.replace(/%([\da-f]{2})/gi, (_, code: string) => String.fromCharCode(parseInt(code, 16)))

/** The bytes of a `data:` URL. None if its base64 is invalid. */
export const decode = (url: string): Option.Option<Uint8Array> => {
  const [start = "", , base64] = head.exec(url) ?? []
  const content = unescape(url.slice(start.length).split("#", 1)[0] ?? "")
  if (base64 === undefined) return Option.some(toBytes(content))
  // As in browsers, spaces are ignored and the padding is optional.
  const digits = content.replace(/[\s=]+/g, "")
  return Option.getRight(Encoding.decodeBase64(digits.padEnd(Math.ceil(digits.length / 4) * 4, "=")))
}
