/**
 * The library without Effect: promises, async iterators, and `AbortSignal`.
 *
 * @example
 * ```ts
 * import { ArtaClient } from "effect-arta"
 *
 * export const generate = async (apiKey: string, signal: AbortSignal) => {
 *   await using client = ArtaClient.make({ apiKey })
 *   for await (const event of client.generate({ prompt: "a lighthouse at dawn" }, { signal })) {
 *     console.log(event._tag)
 *   }
 * }
 * ```
 *
 * @since 0.1.0
 */
/// <reference lib="esnext.disposable" preserve="true" />
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as FileSystem from "@effect/platform/FileSystem"
import * as HttpClient from "@effect/platform/HttpClient"
import * as Path from "@effect/platform/Path"
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Option from "effect/Option"
import type * as Stream from "effect/Stream"
import * as Arta from "./Arta.js"
import type { ArtaApi } from "./ArtaApi.js"
import type { DownloadError } from "./ArtaError.js"
import type { Options } from "./GenerateRequest.js"
import type { Generation, GenerationEvent, Submitted } from "./Generation.js"
import { aborted } from "./internal/promise/abortSignal.js"
import type { Run } from "./internal/asyncIterator.js"
import { iterate } from "./internal/asyncIterator.js"
import * as ImageFile from "./ImageFile.js"
import * as TokenStore from "./TokenStore.js"

/**
 * @since 0.1.0
 * @category options
 */
export interface CallSettings extends Arta.Settings {
  /** Aborting the signal ends the call at once. The call then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/**
 * @since 0.1.0
 * @category options
 */
export interface LoadSettings extends ImageFile.Settings, Pick<CallSettings, "signal"> {}

/**
 * @since 0.1.0
 * @category options
 */
export interface SaveOptions extends ImageFile.SaveOptions, Pick<CallSettings, "signal"> {}

/**
 * Generates images and returns promises and async iterables.
 *
 * Every method throws the errors of `ArtaError` as instances of their classes, each with a `_tag`. Calls of a closed
 * client throw `ClientClosedError`.
 *
 * @since 0.1.0
 * @category models
 */
export interface ArtaClient extends AsyncDisposable {
  /** Submits a generation and yields its events. Each iteration of the result submits a new generation. */
  readonly generate: (options: Options, settings?: CallSettings) => AsyncIterable<GenerationEvent>
  /** Resumes a generation by its record id and yields its events. */
  readonly watch: (recordId: string, settings?: CallSettings) => AsyncIterable<GenerationEvent>
  /** Submits a generation and waits for its images. */
  readonly run: (options: Options, settings?: CallSettings) => Promise<Generation>
  /** Submits a generation and resolves once the service accepts it. `resume` or `watch` gets its images. */
  readonly submit: (options: Options, settings?: CallSettings) => Promise<Submitted>
  /** Waits for the images of a generation that was submitted before, by its record id. */
  readonly resume: (recordId: string, settings?: CallSettings) => Promise<Generation>
  /**
   * Downloads the images of a generation into memory. The result of each image has the tag `Right` with its bytes, or
   * `Left` with a `DownloadError`.
   */
  readonly load: (
    source: ImageFile.Source,
    settings?: LoadSettings
  ) => Promise<ReadonlyArray<Either.Either<ImageFile.LoadedImage, DownloadError>>>
  /**
   * Saves the images of a generation to a directory. The result of each image is its path or a `DownloadError`. Needs a
   * file system: the client of `make` has none and throws `MissingServiceError`.
   */
  readonly save: (source: ImageFile.Source, options: SaveOptions) => Promise<ReadonlyArray<ImageFile.Saved>>
  /** Ends all running calls and releases the client's resources. These and later calls throw `ClientClosedError`. */
  readonly close: () => Promise<void>
}

/**
 * The client was closed before the call or during it. A generation that was submitted continues at the service.
 *
 * @since 0.1.0
 * @category errors
 */
export class ClientClosedError extends Data.TaggedError("ClientClosedError") {
  override get message(): string {
    return "The client was closed: make another one."
  }
}

/**
 * The layer of the client does not provide a service that the call needs.
 *
 * @since 0.1.0
 * @category errors
 */
export class MissingServiceError extends Data.TaggedError("MissingServiceError")<{ readonly service: string }> {
  override get message(): string {
    return `The layer of the client does not provide ${this.service}: use NodeArta.client, or another layer.`
  }
}

// A layer may provide more services than its type says.
const provideOptional =
  <I, S>(tag: Context.Tag<I, S>) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | MissingServiceError, Exclude<R, I>> =>
    Effect.provideServiceEffect(
      effect,
      tag,
      Effect.flatMap(
        Effect.serviceOption(tag),
        Option.match({ onNone: () => new MissingServiceError({ service: tag.key }), onSome: Effect.succeed })
      )
    )

/**
 * Makes a client from any layer that provides `ArtaApi`. The first call builds the layer.
 *
 * `load` also needs `HttpClient`, and `save` needs `HttpClient`, `FileSystem` and `Path`. If the layer does not provide
 * them, these methods throw `MissingServiceError`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromLayer = <E>(layer: Layer.Layer<ArtaApi, E>): ArtaClient => {
  const runtime = ManagedRuntime.make(layer)
  const closing = Deferred.unsafeMake<never, ClientClosedError>(FiberId.none)

  const closedOrAborted = ({ signal }: CallSettings): Effect.Effect<never, unknown> =>
    signal === undefined ? Deferred.await(closing) : Effect.raceFirst(Deferred.await(closing), aborted(signal))

  // `raceFirst` starts both sides, so an aborted call would still submit.
  const failIfEnded = (settings: CallSettings): Effect.Effect<void, unknown> =>
    Effect.whenEffect(
      closedOrAborted(settings),
      Effect.map(Deferred.isDone(closing), (isClosed) => isClosed || settings.signal?.aborted === true)
    )

  // The race is around the runtime, because a runtime that is disposed of fails with a string.
  const runExit =
    (settings: CallSettings): Run<ArtaApi, unknown> =>
    (effect, options) =>
      Effect.zipRight(failIfEnded(settings), Effect.provide(effect, runtime)).pipe(
        Effect.raceFirst(closedOrAborted(settings)),
        (limited) => Effect.runPromiseExit(limited, options)
      )

  const run = <A, E2>(effect: Effect.Effect<A, E2, ArtaApi>, settings: CallSettings): Promise<A> =>
    runExit(settings)(effect).then(
      Exit.getOrElse((cause) => {
        throw Cause.squash(cause)
      })
    )

  const iterable = <A, E2>(stream: Stream.Stream<A, E2, ArtaApi>, settings: CallSettings): AsyncIterable<A> => ({
    [Symbol.asyncIterator]: () => iterate(stream, runExit(settings))
  })

  const close = () => {
    Deferred.unsafeDone(
      closing,
      Effect.suspend(() => new ClientClosedError())
    )
    return runtime.dispose()
  }

  return {
    generate: (options, settings = {}) => iterable(Arta.generate(options, settings), settings),
    watch: (recordId, settings = {}) => iterable(Arta.watch(recordId, settings), settings),
    run: (options, settings = {}) => run(Arta.run(options, settings), settings),
    submit: (options, settings = {}) => run(Arta.submit(options, settings), settings),
    resume: (recordId, settings = {}) => run(Arta.resume(recordId, settings), settings),
    load: (source, settings = {}) =>
      run(provideOptional(HttpClient.HttpClient)(ImageFile.load(source, settings)), settings),
    save: (source, options) =>
      run(
        ImageFile.save(source, options).pipe(
          provideOptional(Path.Path),
          provideOptional(FileSystem.FileSystem),
          provideOptional(HttpClient.HttpClient)
        ),
        options
      ),
    close,
    [Symbol.asyncDispose]: close
  }
}

// If `fetch` followed redirects, it could send a submission twice, and the token to another host.
const fetchClient = Layer.provide(
  FetchHttpClient.layer,
  Layer.succeed(FetchHttpClient.RequestInit, { redirect: "manual" })
)

/**
 * Makes a client that uses the platform's `fetch`. The session lives in memory and ends with the client. On Node,
 * `NodeArta.client` keeps the session in a file.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Arta.LayerOptions): ArtaClient =>
  fromLayer(Arta.layer(options).pipe(Layer.provide(TokenStore.layerMemory), Layer.provideMerge(fetchClient)))
