import * as Option from "effect/Option"
import type { GenerateRequest } from "../../GenerateRequest.js"
import type { Format } from "../download/imageScan.js"
import type { Open } from "./container.js"
import { openJpeg } from "./jpeg.js"
import { parametersText } from "./parameters.js"
import { openPng } from "./png.js"
import { openWebp } from "./webp.js"
import { xmpPacket } from "./xmp.js"

const openers: Readonly<Record<Format["mediaType"], Open>> = {
  "image/png": openPng,
  "image/jpeg": openJpeg,
  "image/webp": openWebp
}

/**
 * Returns the image with the metadata of its generation: the request as the text that A1111 writes, if it is known, and
 * that a model generated it. The image data stays, byte for byte. An image that a change could break is returned
 * unchanged: one that is damaged, that other bytes follow, or that C2PA signs.
 */
export const addMetadata = (
  bytes: Uint8Array,
  mediaType: Format["mediaType"],
  request: GenerateRequest | undefined
): Uint8Array =>
  Option.match(openers[mediaType](bytes), {
    onNone: () => bytes,
    onSome: ({ add, size }) =>
      add({
        parameters: request === undefined ? undefined : parametersText(request, size),
        xmp: xmpPacket(request?.prompt)
      })
  })
