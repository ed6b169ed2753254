import type { ImageModelV3CallOptions, SharedV3Warning } from "@ai-sdk/provider"
import type { DownloadError } from "../../ArtaError.js"
import type { Completed } from "../../Generation.js"

const unsupported = (feature: string, details: string): SharedV3Warning => ({ type: "unsupported", feature, details })

const noInputImages = "ARTA generates images from a prompt only. The images that were passed had no effect."

/** Names the options of a call that have no effect. */
export const warnUnsupported = ({ files, mask, size }: ImageModelV3CallOptions): ReadonlyArray<SharedV3Warning> => [
  ...(size === undefined ? [] : [unsupported("size", "ARTA takes an aspect ratio: use aspectRatio instead.")]),
  ...(files === undefined || files.length === 0 ? [] : [unsupported("files", noInputImages)]),
  ...(mask === undefined ? [] : [unsupported("mask", noInputImages)])
]

/** Names the images that were paid for, but are not among those of the call. */
export const warnIncomplete = (
  { missing, recordId, requested }: Completed,
  failed: ReadonlyArray<DownloadError>
): ReadonlyArray<SharedV3Warning> => [
  ...(missing === 0
    ? []
    : [
        {
          type: "other" as const,
          message: `The generation ${recordId} delivered ${String(requested - missing)} of ${String(requested)} images.`
        }
      ]),
  ...failed.map((error) => ({
    type: "other" as const,
    message: `${error.message} The generation ${recordId} still has this image: resume it to download the image again.`
  }))
]
