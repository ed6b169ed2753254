import * as Data from "effect/Data"
import type * as DateTime from "effect/DateTime"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { RecordId } from "../../../Generation.js"
import type { LoadedImage, MediaType } from "../../../ImageFile.js"

/** Why an image could not be saved, and where to. */
export class StoreFailure extends Data.TaggedError("StoreFailure")<{
  readonly location: string
  readonly reason: string
}> {}

/** A place for images, each under a stem: its name without the extension. */
export interface Store {
  /** Saves an image and returns its location. An image that is there already is kept, unless it is incomplete. */
  readonly put: (stem: string, image: LoadedImage, recordId: RecordId) => Effect.Effect<string, StoreFailure>
  /** The location of a complete image that was saved earlier, but not before `since`. */
  readonly find: (
    stem: string,
    recordId: RecordId,
    since: DateTime.Utc | undefined
  ) => Effect.Effect<Option.Option<string>>
}

export const extensions: Readonly<Record<MediaType, string>> = {
  "image/png": "png",
  "image/jpeg": "jpg",
  "image/webp": "webp"
}

/** The name after so many others that other images have taken: `name`, `name-2`, `name-3`, … */
export const numbered = (stem: string, attempt: number): string => (attempt === 1 ? stem : `${stem}-${String(attempt)}`)
