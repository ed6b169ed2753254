import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import type { Generation } from "effect-arta"
import { ImageFile } from "effect-arta"
import * as Journal from "./journal.js"
import type { OutputOptions } from "./options.js"
import type { SaveResult, SaveServices } from "./saveImages.js"
import { saveJournaled, saveMissing } from "./saveImages.js"

/** Saves the images under the generation's name in the journal, or under its record id if the journal has none. */
export const saveWatched =
  ({ metadata, output }: OutputOptions) =>
  (done: Generation.Generation): Effect.Effect<SaveResult, Journal.JournalError, SaveServices> =>
    Effect.gen(function* () {
      const journal = yield* Journal.open(output)
      const records = yield* journal.records
      const found = HashMap.findFirst(records, ({ recordId }) => recordId === done.recordId)
      return yield* Option.match(found, {
        onNone: () =>
          saveMissing(done, { metadata, output, name: ImageFile.nameOf(done.recordId), files: journal.files }),
        onSome: ([key]) => saveJournaled(journal, key, { metadata, output })(done)
      })
    }).pipe(Effect.scoped)
