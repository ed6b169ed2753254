import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { decodableImages } from "../support/decodableImages.js"
import { jpeg, trailers, webp } from "../support/imageFiles.js"
import { withJpegSegment, withPngChunk, withWebpChunk } from "../support/imageParts.js"
import { exif, extendedWebp, latin1, withWebpSize, xmpName } from "../support/metadataImages.js"
import { onDisk, save } from "../support/saveImage.js"

const { jpeg: baselineJpeg, lossyWebp, png, transparentWebp } = decodableImages

const manifest = "<dcterms:provenance>https://images.test/manifest</dcterms:provenance>"
const brokenPng = png.with(png.length - 20, (png.at(-20) ?? 0) ^ 1)

describe("ImageFile.save with metadata changes nothing in", () => {
  // fault: Download | Metadata for an image that C2PA signs | the image, byte for byte
  it.effect.each<readonly [string, Uint8Array]>([
    ["a signed PNG", withPngChunk(png, "caBX", latin1("jumb"))],
    ["a signed JPEG", withJpegSegment(baselineJpeg, 0xeb, latin1("JP\0\x01\0\0\0\x01jumb"))],
    ["a signed WebP", withWebpChunk(extendedWebp, "C2PA", latin1("jumb"))],
    ["a PNG whose manifest is elsewhere", withPngChunk(png, "iTXt", latin1(`XML:com.adobe.xmp\0\0\0\0\0${manifest}`))],
    ["a JPEG whose manifest is elsewhere", withJpegSegment(baselineJpeg, 0xe1, latin1(xmpName + manifest))],
    ["a WebP whose manifest is elsewhere", withWebpChunk(extendedWebp, "XMP ", latin1(manifest))]
  ])("%s", ([, image]) =>
    Effect.gen(function* () {
      expect(Buffer.compare(yield* save(image), image) === 0).toBe(true)
    }).pipe(onDisk)
  )

  // fault: Download | Metadata for an image that is damaged, or that bytes follow | the image, byte for byte
  it.effect.each<readonly [string, Uint8Array]>([
    ...Object.entries(decodableImages).flatMap(([format, image]) =>
      trailers.map(([name, trailer]) => [`a ${format} with ${name} after it`, Buffer.concat([image, trailer])] as const)
    ),
    ["a PNG with a wrong checksum", brokenPng],
    ["a PNG without pixels", Buffer.concat([png.subarray(0, 33), png.subarray(-12)])],
    ["a JPEG without a frame", Buffer.concat([baselineJpeg.subarray(0, 20), jpeg.subarray(-40)])],
    ["a JPEG with a byte between segments", Buffer.concat([jpeg.subarray(0, 20), latin1("\0"), jpeg.subarray(20)])],
    ["a WebP without a frame", webp],
    ["a WebP whose chunk is longer than the file", lossyWebp.with(16, 0xff)],
    ["a WebP of no width", withWebpSize(0, 16)],
    ["a WebP of no height", withWebpSize(24, 0)],
    ["a WebP without a start code", lossyWebp.with(23, 0)],
    ["a lossless WebP without a signature", transparentWebp.with(20, 0)],
    ["a WebP without a header and with a chunk more", withWebpChunk(lossyWebp, "EXIF", exif)],
    ["a WebP of an unknown kind", lossyWebp.with(15, 0x33)],
    ["a WebP with two EXIF chunks", withWebpChunk(withWebpChunk(extendedWebp, "EXIF", exif), "EXIF", exif)],
    ["a WebP with two XMP chunks", withWebpChunk(withWebpChunk(extendedWebp, "XMP ", exif), "XMP ", exif)],
    [
      "a PNG that starts with another chunk",
      Buffer.concat([withPngChunk(png.subarray(0, 8), "IHDX", png.subarray(16, 29)), png.subarray(33)])
    ],
    [
      "a PNG whose header is short",
      Buffer.concat([withPngChunk(png.subarray(0, 8), "IHDR", png.subarray(16, 28)), png.subarray(33)])
    ],
    [
      "a JPEG whose frame is short",
      Buffer.concat([
        baselineJpeg.subarray(0, 2),
        Buffer.from("ffc00005080010", "hex"),
        Buffer.from("ffda000203ffd9", "hex")
      ])
    ]
  ])("%s", ([, image]) =>
    Effect.gen(function* () {
      expect(Buffer.compare(yield* save(image), image) === 0).toBe(true)
    }).pipe(onDisk)
  )
})
