import type * as FileSystem from "@effect/platform/FileSystem"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Path from "@effect/platform/Path"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import type { DurableBatch } from "effect-arta/batch"
import { ImageSink } from "effect-arta/batch"
import type { SetupError } from "../errors.js"
import * as Journal from "../journal.js"
import { printable } from "../printable.js"
import { keyPrefix } from "../serviceKey.js"
import { isHere, readSettings } from "./batchSettings.js"

/** Which service a runner uses, and where it saves, whatever the batch says. */
export interface Overrides {
  readonly emulator: boolean
  readonly output: Option.Option<string>
  readonly metadata: Option.Option<"full" | "none">
}

interface Place {
  readonly directory: string
  readonly metadata: "full" | "none"
}

/** How to start a runner on a machine that does not have the directory of a batch. */
export const elsewhere = (batch: string, { directory, host }: { readonly directory: string; readonly host: string }) =>
  `The batch ${printable(batch)} saves to ${printable(directory)} on ${printable(host)}, which is another machine. ` +
  "Name the directory for the images on this one: -o DIR"

/** Where the images of a batch go. The left side says why that is not known. */
const placeOf = (batch: string, { metadata, output }: Overrides) =>
  Effect.gen(function* () {
    const settings = Option.getOrUndefined(yield* readSettings(batch))
    const given = Option.getOrUndefined(output)
    if (given === undefined && settings !== undefined && !isHere(settings))
      return yield* Effect.fail(elsewhere(batch, settings))
    const place: Place = {
      directory: given ?? settings?.directory ?? "images",
      metadata: Option.getOrUndefined(metadata) ?? settings?.metadata ?? "full"
    }
    return place
  })

/**
 * Adds what was saved to the journal of its directory, from which the gallery knows the prompts. The database knows the
 * rows, so a journal that cannot be written stops nothing.
 */
const journaled = (prefix: string, directory: string, sink: ImageSink.Service) =>
  Effect.gen(function* () {
    const { basename } = yield* Path.Path
    const journal = yield* Journal.open(directory)
    return ImageSink.ImageSink.of({
      save: (generation, options) =>
        Effect.tap(sink.save(generation, options), (images) => {
          const { recordId, request } = generation
          if (request === undefined) return Effect.void
          const files = images.map(({ location }) => basename(location))
          const key = `${prefix}${options.batch ?? ""}/${options.name}`
          return Effect.ignoreLogged(journal.addSaved({ key, request, name: options.name, recordId, files }))
        })
    })
  }).pipe(
    Effect.catchAll(({ message }) =>
      Effect.as(Effect.logWarning(`The gallery will lack the details of new images: ${message}`), sink)
    )
  )

/** Saves the images of each batch to its own directory. `saved` runs after the images of a row are saved. */
export const layer = (
  overrides: Overrides,
  saved: (batch: string, name: string, images: number) => Effect.Effect<void>
): Layer.Layer<
  ImageSink.ImageSink,
  SetupError,
  DurableBatch.DurableBatch | FileSystem.FileSystem | Path.Path | HttpClient.HttpClient
> =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const prefix = yield* keyPrefix(overrides)
    const context = yield* Effect.context<
      DurableBatch.DurableBatch | FileSystem.FileSystem | Path.Path | HttpClient.HttpClient
    >()
    const sinkOf = yield* Effect.cachedFunction((batch: string) =>
      Effect.gen(function* () {
        const { directory, metadata } = yield* placeOf(batch, overrides)
        const built = yield* Layer.build(ImageSink.layerDirectory(directory, { metadata }))
        return yield* journaled(prefix, directory, Context.get(built, ImageSink.ImageSink))
      }).pipe(Scope.extend(scope), Effect.provide(context), Effect.either)
    )
    return ImageSink.ImageSink.of({
      save: (generation, options) => {
        const { batch = "", name } = options
        return Effect.flatMap(Effect.flatten(sinkOf(batch)), (sink) => sink.save(generation, options)).pipe(
          Effect.tap((images) => saved(batch, name, images.length)),
          Effect.mapError((error) =>
            typeof error === "string" || error._tag === "DatabaseError"
              ? new ImageSink.SinkError({
                  location: batch,
                  reason: typeof error === "string" ? error : error.message,
                  recordId: generation.recordId
                })
              : error
          )
        )
      }
    })
  }).pipe(Layer.scoped(ImageSink.ImageSink))
