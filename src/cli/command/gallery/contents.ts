import * as Schema from "effect/Schema"

/** An image file. Width and height are in pixels, as a browser shows it. */
export const GalleryImage = Schema.Struct({
  file: Schema.String,
  width: Schema.Number,
  height: Schema.Number,
  /** The size of the file. */
  bytes: Schema.Number,
  /** When the file was last modified, in milliseconds since 1970. */
  date: Schema.Number
})

export type GalleryImage = typeof GalleryImage.Type

/** What the journal knows of a request. */
export interface Details {
  readonly prompt?: string
  readonly negative?: string
  readonly model?: string
  readonly seed?: number
  readonly steps?: number
  readonly guidance?: number
  readonly aspect?: string
  /** The command that generates the images again. */
  readonly command?: string
  /** Whether the emulator generated the images. */
  readonly emulated?: boolean
}

/** A request with its images in order. An image that the journal does not know is alone. */
export interface GalleryRequest extends Details {
  readonly id: string
  /** The place of the request in the journal. */
  readonly position?: number
  readonly images: ReadonlyArray<GalleryImage>
}

/** What a gallery shows. The page contains it as JSON. */
export interface Contents {
  /** Identifies the directory, so that galleries in one browser keep their marks apart. */
  readonly id: string
  readonly requests: ReadonlyArray<GalleryRequest>
}
