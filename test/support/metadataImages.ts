import { decodableImages } from "./decodableImages.js"
import { withWebpChunk } from "./imageParts.js"

const { lossyWebp } = decodableImages

export const latin1 = (text: string) => Buffer.from(text, "latin1")

export const xmpName = "http://ns.adobe.com/xap/1.0/\0"

/** A lossy WebP with a header. */
export const extendedWebp = withWebpChunk(
  withWebpChunk(new Uint8Array(latin1("RIFF\0\0\0\0WEBP")), "VP8X", latin1("\0\0\0\0\x17\0\0\x0f\0\0")),
  "VP8 ",
  lossyWebp.subarray(20)
)

/** A lossy WebP that says that it has this size. */
export const withWebpSize = (width: number, height: number) => {
  const webp = Uint8Array.from(lossyWebp)
  webp.set([width & 0xff, width >> 8, height & 0xff, height >> 8], 26)
  return webp
}

/** EXIF with an artist, and in its second directory an entry whose value is at the end. Big-endian. */
export const exifWith = (entry: string, value: string) => {
  const directories = `0002013b00020000000441646100876900040000000100000026000000000001${entry}00000000`
  return Buffer.concat([Buffer.from(`4d4d002a00000008${directories}`, "hex"), latin1(value)])
}

/** An entry for `exifWith`. */
export const exposure = "829a00050000000100000038"
export const exif = exifWith(exposure, "\0\0\0\x01\0\0\0\x3c")
