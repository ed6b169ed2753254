import type * as Option from "effect/Option"

export interface Size {
  readonly width: number
  readonly height: number
}

/** What is written into an image. */
export interface Metadata {
  /** The parameters text, shortened to this many UTF-16 code units. Absent if the request is unknown. */
  readonly parameters: ((maxLength: number) => string) | undefined
  /** An XMP packet in UTF-8. */
  readonly xmp: Uint8Array
}

/** An image that metadata can be added to. The metadata that it has stays, and its image data is not touched. */
interface Container {
  readonly size: Size
  readonly add: (metadata: Metadata) => Uint8Array
}

/**
 * Reads the structure of a file whose first bytes are those of its format. None: it is damaged, bytes follow its end,
 * or it is signed by C2PA, which a change would break. Save such a file as it came.
 */
export type Open = (bytes: Uint8Array) => Option.Option<Container>
