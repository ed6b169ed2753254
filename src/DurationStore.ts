/**
 * Stores how long generations took, from which `Polling.adaptive` learns.
 *
 * By default, durations last as long as the process. `layerFileSystem` also keeps them in a file, so that the next
 * process starts with what this one learned. The layers of `NodeArta` include it, with a file beside the session.
 * `layerMemory` separates the durations of a part of a program.
 *
 * @example
 * ```ts
 * import { Arta, DurationStore } from "effect-arta"
 * import { NodeContext } from "@effect/platform-node"
 * import { Effect, Layer } from "effect"
 *
 * export const program = Arta.run({ prompt: "a lighthouse" }).pipe(
 *   Effect.provide(DurationStore.layerFileSystem("durations.json").pipe(Layer.provide(NodeContext.layer)))
 * )
 * ```
 *
 * @since 0.1.0
 */
import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import { constant } from "effect/Function"
import * as Layer from "effect/Layer"
import { fileHistory } from "./internal/durationFile/fileHistory.js"
import { DurationHistory, makeDurationHistory } from "./internal/durationHistory.js"

/**
 * Keeps the durations in memory, separately from the rest of the process. They belong to one `Clock`, so tests that
 * each have their own `TestClock` do not affect each other.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerMemory: Layer.Layer<never> = /* @__PURE__ */ Layer.sync(DurationHistory, makeDurationHistory)

/**
 * Keeps the durations in a file that only its owner can read, and creates missing directories for the owner only. The
 * file holds durations for each API URL, model and number of images: at most 100 of them, and nothing else.
 *
 * It is read when the layer is built. It is replaced atomically after a generation, at most every 5 seconds, and when
 * the layer is released, always in the background: no generation waits for it or fails because of it. Several processes
 * can share a file. Each adds what it has learned to what the file then holds; if two write at the same moment, the
 * file keeps what one of them learned.
 *
 * A damaged file is ignored and replaced. A file of another version, or one that is not a file of durations, is ignored
 * and left unchanged. A file that cannot be read or written is ignored. Debug logs say so.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerFileSystem = (file: string): Layer.Layer<never, never, FileSystem.FileSystem | Path.Path> =>
  Layer.scoped(DurationHistory, Effect.map(fileHistory(file), constant))
