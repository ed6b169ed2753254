import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { randomUUID } from "node:crypto"
import { fileName as journalName } from "../../shared/journalEntry.js"
import type { Contents, GalleryImage, GalleryRequest } from "./contents.js"
import type { KnownImages } from "./readContents.js"
import { imagesByName, readContents } from "./readContents.js"

/** A request as JSON, and the version in which it changed last. */
interface Versioned {
  readonly request: GalleryRequest
  readonly text: string
  readonly version: number
}

interface State {
  readonly contents: Contents
  readonly images: KnownImages
  readonly version: number
  /** The requests by id. A removed one stays, without images. */
  readonly requests: ReadonlyMap<string, Versioned>
}

/** What changed since a version of a page. */
interface Changes {
  readonly version: string
  readonly requests: ReadonlyArray<GalleryRequest>
}

export interface LiveContents {
  readonly contents: Effect.Effect<Contents>
  /** The image of a file that the gallery shows. */
  readonly image: (file: string) => Effect.Effect<Option.Option<GalleryImage>>
  /** Names the current state to `since`. */
  readonly version: Effect.Effect<string>
  /** None: the version is not one of this server. */
  readonly since: (version: string) => Effect.Effect<Option.Option<Changes>>
}

const toState = (contents: Contents, before?: State): State => {
  const version = (before?.version ?? 0) + 1
  const current = new Map(
    contents.requests.map((request) => {
      const text = JSON.stringify(request)
      const old = before?.requests.get(request.id)
      return [request.id, old?.text === text ? old : { request, text, version }] as const
    })
  )
  const removed = [...(before?.requests ?? [])]
    .filter(([id]) => !current.has(id))
    .map(([id, old]) => {
      const isKnown = old.request.images.length === 0
      return [id, isKnown ? old : { request: { id, images: [] }, text: "", version }] as const
    })
  return { contents, images: imagesByName(contents.requests), version, requests: new Map([...current, ...removed]) }
}

const pollInterval = Duration.seconds(2)

/** Emits when something in the directory may have changed. Where nothing watches the file system, polls. */
const signals = (directory: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const stamp = (file: string) =>
      Effect.match(fs.stat(file), {
        onFailure: () => "",
        onSuccess: ({ mtime, size }) => `${String(Option.getOrUndefined(mtime)?.getTime())} ${String(size)}`
      })
    const polled = Stream.repeatEffect(
      Effect.delay(
        Effect.map(Effect.all([stamp(directory), stamp(path.join(directory, journalName))]), (stamps) => stamps.join()),
        pollInterval
      )
    ).pipe(Stream.changes)
    const watched = Stream.catchAll(fs.watch(directory), () => Stream.empty)
    return Stream.merge(Stream.as(watched, undefined), Stream.as(polled, undefined)).pipe(
      Stream.buffer({ capacity: 1, strategy: "sliding" })
    )
  })

// Reading 50,000 files takes seconds: spend at most a tenth of the time on it.
const pauseAfter = (taken: Duration.Duration) => Duration.max(Duration.times(taken, 9), "250 millis")

/** Reads the contents of a directory, and again whenever it changes, until the scope closes. */
export const make = (
  directory: string
): Effect.Effect<LiveContents, PlatformError, FileSystem.FileSystem | Path.Path | Scope.Scope> =>
  Effect.gen(function* () {
    // A page of an earlier server must not follow this one.
    const server = randomUUID()
    const state = yield* Ref.make(toState(yield* readContents(directory, new Map())))
    const refresh = Effect.gen(function* () {
      const before = yield* state
      const contents = yield* readContents(directory, before.images)
      yield* Ref.set(state, toState(contents, before))
    }).pipe(
      // The first reading has warned of unreadable images.
      Logger.withMinimumLogLevel(LogLevel.Error),
      Effect.catchAll((error) => Effect.logDebug(error))
    )
    yield* Effect.forkScoped(
      Stream.runForEach(yield* signals(directory), () =>
        Effect.flatMap(Effect.timed(refresh), ([taken]) => Effect.sleep(pauseAfter(taken)))
      )
    )
    const versionOf = ({ version }: State) => `${server}.${String(version)}`
    return {
      contents: Effect.map(state, ({ contents }) => contents),
      image: (file) => Effect.map(state, ({ images }) => Option.fromNullable(images.get(file))),
      version: Effect.map(state, versionOf),
      since: (version) =>
        Effect.map(state, (current) => {
          const [id, number] = version.split(".")
          if (id !== server) return Option.none()
          const requests = [...current.requests.values()]
            .filter((request) => request.version > Number(number))
            .map(({ request }) => request)
          return Option.some({ version: versionOf(current), requests })
        })
    }
  })
