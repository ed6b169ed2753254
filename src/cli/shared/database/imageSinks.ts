import type * as FileSystem from "@effect/platform/FileSystem"
import type * as HttpClient from "@effect/platform/HttpClient"
import type * as Path from "@effect/platform/Path"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { DurableBatch } from "effect-arta/batch"
import { ImageSink } from "effect-arta/batch"
import { printable } from "../printable.js"
import { isHere, readSettings } from "./batchSettings.js"

/** Where a runner saves, whatever the batch says. */
export interface Overrides {
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

/** Saves the images of each batch to its own directory. `saved` runs after the images of a row are saved. */
export const layer = (
  overrides: Overrides,
  saved: (batch: string, name: string, images: number) => Effect.Effect<void>
): Layer.Layer<
  ImageSink.ImageSink,
  never,
  DurableBatch.DurableBatch | FileSystem.FileSystem | Path.Path | HttpClient.HttpClient
> =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const context = yield* Effect.context<
      DurableBatch.DurableBatch | FileSystem.FileSystem | Path.Path | HttpClient.HttpClient
    >()
    const sinkOf = yield* Effect.cachedFunction((batch: string) =>
      Effect.gen(function* () {
        const { directory, metadata } = yield* placeOf(batch, overrides)
        const built = yield* Layer.buildWithScope(ImageSink.layerDirectory(directory, { metadata }), scope)
        return Context.get(built, ImageSink.ImageSink)
      }).pipe(Effect.provide(context), Effect.either)
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
