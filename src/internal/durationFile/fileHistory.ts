import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as AtomicFile from "../../AtomicFile.js"
import { monotonicSeconds } from "../clock.js"
import type { Ending, History } from "../durationHistory.js"
import { historyIn } from "../durationHistory.js"
import { isNotFound } from "../platformError.js"
import type { Models } from "./durationsJson.js"
import { fromJson, maxBytes, toJson } from "./durationsJson.js"

interface Lesson {
  readonly key: string
  readonly ending: Ending
}

// Seconds. A busy program learns far more often than its file has to be written.
const saveInterval = 5

const none: Models = new Map()

/** The models in a file, or why the file is not ours. */
const read = (file: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const { size, type } = yield* fs.stat(file)
    // Reading a pipe would wait for its writer.
    if (type !== "File" || size > maxBytes) return "foreign"
    const models = fromJson(yield* fs.readFileString(file))
    if (models !== "damaged") return models
    yield* Effect.logDebug(`The durations at ${file} are damaged, so they will be replaced.`)
    return none
  }).pipe(Effect.catchIf(isNotFound, () => Effect.succeed(none)))

const write = (file: string, models: Models) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    yield* fs.makeDirectory(path.dirname(file), { recursive: true, mode: 0o700 })
    yield* AtomicFile.write(file, toJson(models), { mode: 0o600 })
  })

/**
 * A history that outlives the process. To save, it reads the file again and replays what this process has learned
 * since, so processes that run at the same time learn from each other.
 */
export const fileHistory = (
  file: string
): Effect.Effect<History, never, FileSystem.FileSystem | Path.Path | Scope.Scope> =>
  Effect.gen(function* () {
    const context = yield* Effect.context<FileSystem.FileSystem | Path.Path>()
    const scope = yield* Effect.scope
    const lock = yield* Effect.makeSemaphore(1)
    const models = new Map<string, ReturnType<History["model"]>>()
    const history = historyIn(models)
    const unsaved: Array<Lesson> = []
    let savedAt = Number.NEGATIVE_INFINITY

    const take = (known: Models) => {
      for (const [key, model] of known) models.set(key, model)
    }

    // A file only saves polls: no generation fails because of it.
    const orIgnore = <E, R>(effect: Effect.Effect<void, E, R>) =>
      Effect.catchAllCause(effect, (cause) => Effect.logDebug(`The durations at ${file} are not used.`, cause))

    const logForeign = Effect.logDebug(`The durations at ${file} belong to another version or program.`)

    const load = Effect.flatMap(read(file), (stored) =>
      stored === "foreign"
        ? logForeign
        : Effect.sync(() => {
            take(stored)
          })
    )

    const save = Effect.gen(function* () {
      const lessons = unsaved.splice(0)
      if (lessons.length === 0) return
      // What is learned while the file is read and written belongs to the next save.
      const learned = new Map(models)
      const stored = yield* read(file)
      if (stored === "foreign") return yield* logForeign
      const merged = new Map([...stored, ...[...learned].filter(([key]) => !stored.has(key))])
      const { learn } = historyIn(merged)
      for (const { ending, key } of lessons) if (stored.has(key)) learn(key, ending)
      yield* write(file, merged)
      models.clear()
      take(merged)
      for (const { ending, key } of unsaved) history.learn(key, ending)
    }).pipe(orIgnore, lock.withPermits(1), Effect.provide(context), Effect.uninterruptible)

    yield* orIgnore(load)
    yield* Effect.addFinalizer(() => save)

    return {
      model: history.model,
      learn: (key, ending) => {
        history.learn(key, ending)
        unsaved.push({ key, ending })
      },
      save: Effect.flatMap(monotonicSeconds, (now) => {
        if (now - savedAt < saveInterval) return Effect.void
        savedAt = now
        return Effect.forkIn(save, scope)
      })
    }
  })
