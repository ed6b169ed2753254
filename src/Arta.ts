/**
 * Generates images from a prompt.
 *
 * `generate` emits the events of a generation, `run` waits for its outcome, `generateAll` runs many, and `watch`
 * continues a generation that was submitted earlier. Interrupting any of them stops the polling immediately.
 *
 * @example
 * ```ts
 * import { Arta } from "effect-arta"
 * import { NodeArta } from "effect-arta/node"
 * import { Console, Effect, Stream } from "effect"
 *
 * export const program = Arta.generate({ prompt: "a lighthouse at dawn", aspectRatio: "16:9" }).pipe(
 *   Stream.runForEach((event) => Console.log(event._tag)),
 *   Effect.provide(NodeArta.layerConfig())
 * )
 * ```
 *
 * @since 0.1.0
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import type { ConfigError } from "effect/ConfigError"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import { flow } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Runtime from "effect/Runtime"
import type * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as ArtaApi from "./ArtaApi.js"
import type {
  GenerateError,
  InvalidRequestError,
  RunError,
  SubmitError,
  UnknownModelError,
  WatchError
} from "./ArtaError.js"
import type * as Auth from "./Auth.js"
import type { GenerateRequest, Options } from "./GenerateRequest.js"
import type { Completed, GenerationEvent, GenerationStatus } from "./Generation.js"
import type { Submitted } from "./Generation.js"
import { Generation, RecordId } from "./Generation.js"
import { iterate } from "./internal/asyncIterator.js"
import type { Overrides } from "./internal/config.js"
import { DurationHistory } from "./internal/durationHistory.js"
import type { Unchecked } from "./internal/generation/parseOptions.js"
import { decodeOptions } from "./internal/generation/parseOptions.js"
import { makeDeadline } from "./internal/generation/deadline.js"
import { makePollLoop, nextEvent, outcome, skipValidation } from "./internal/generation/pollLoop.js"
import { pollStarted, runAndReport, runGeneration, submitted } from "./internal/generation/runGeneration.js"
import { startGeneration } from "./internal/generation/startGeneration.js"
import { clientSpan } from "./internal/generation/telemetry.js"
import { invalidOption } from "./internal/invalidOption.js"
import { layerHttpTransport } from "./internal/httpTransport.js"
import * as Layers from "./internal/layers.js"
import { countedEvents, countedStart, countOutcomeOf } from "./internal/metrics.js"
import { decodeTimeout } from "./internal/timeout.js"
import * as Polling from "./Polling.js"
import type { TokenStore } from "./TokenStore.js"

/**
 * How to wait for a generation.
 *
 * @since 0.1.0
 * @category options
 */
export interface Settings {
  /** When to poll again. Default: `Polling.adaptive()`. */
  readonly polling?: Schedule.Schedule<unknown, GenerationStatus> | undefined
  /**
   * How long the whole generation may take, including the submission. Default: 5 minutes. Waiting for the
   * submission limiter of `ArtaApi`, which allows 32 at once, does not count. A negative one is invalid.
   */
  readonly timeout?: Duration.DurationInput | undefined
  /**
   * Whether more than 8 images or more than 100 steps are invalid, as the service is not known to accept them.
   * Default: `"service"`, which rejects them before anything is sent. `"none"` sends them.
   */
  readonly limits?: "service" | "none" | undefined
}

/**
 * The settings of `run` and `resume`.
 *
 * @example
 * ```ts
 * import { Arta } from "effect-arta"
 * import { Console } from "effect"
 *
 * export const program = Arta.run(
 *   { prompt: "a lighthouse at dawn" },
 *   { onEvent: (event) => Console.error(event._tag) }
 * )
 * ```
 *
 * @since 0.1.0
 * @category options
 */
export interface RunSettings extends Settings {
  /**
   * Runs for each event: `Submitted` (from `run` only), `Queued` and `InProgress` as the state changes, then
   * `Completed`. Polling pauses until the effect ends, and the pause does not count towards the timeout. A defect of
   * the effect ends the call, but not the generation. Default: none.
   */
  readonly onEvent?: ((event: GenerationEvent) => Effect.Effect<unknown>) | undefined
}

const defaultPolling = /* @__PURE__ */ Polling.adaptive()

const withDefaults = ({ limits = "service", polling = defaultPolling, timeout = "5 minutes" }: Settings) => ({
  limits,
  polling,
  timeout
})

const start = (options: Options, settings: Settings) => countedStart(startGeneration(options, withDefaults(settings)))

const generationOf = ({ elapsed, images, missing, recordId, request }: Completed) =>
  new Generation({ recordId, images, elapsed, missing, ...(request && { request }) }, skipValidation)

/**
 * Checks and completes options without sending anything. Returns the request that `generate` would submit, seed
 * included, which you can pass as options again.
 *
 * Fails with `InvalidRequestError` or `UnknownModelError`.
 *
 * @since 0.1.0
 * @category generating
 */
export const prepare = (
  options: Unchecked,
  settings: Pick<Settings, "limits"> = {}
): Effect.Effect<GenerateRequest, InvalidRequestError | UnknownModelError> =>
  Effect.flatten(decodeOptions(options, settings.limits ?? "service"))

/**
 * Submits a generation and returns once the service accepted it. Call `resume` or `watch` with its `recordId` to get
 * the images, in this program or another.
 *
 * Invalid options fail before anything is sent. Sends no submission twice, but waits for a rate limit that ends before
 * the timeout.
 *
 * @since 0.1.0
 * @category generating
 */
export const submit = (
  options: Options,
  settings: Settings = {}
): Effect.Effect<Submitted, SubmitError, ArtaApi.ArtaApi> =>
  Effect.map(start(options, settings), submitted).pipe(Effect.withSpan("Arta.submit", clientSpan))

/**
 * Submits a generation and emits its events: `Submitted`, then `Queued` and `InProgress` as the state changes, then
 * `Completed` with the images.
 *
 * Invalid options fail before anything is sent. Polls that fail transiently are retried until the timeout, but no
 * submission is sent twice. Every error after `Submitted` carries the `recordId`, which `watch` takes.
 *
 * @since 0.1.0
 * @category generating
 */
export const generate = (
  options: Options,
  settings: Settings = {}
): Stream.Stream<GenerationEvent, GenerateError, ArtaApi.ArtaApi> =>
  Effect.gen(function* () {
    const started = yield* start(options, settings)
    const loop = yield* pollStarted(started, withDefaults(settings))
    return yield* countedEvents(nextEvent(loop), submitted(started))
  }).pipe(Stream.unwrap, Stream.withSpan("Arta.generate", clientSpan))

/**
 * Submits a generation and waits for its images.
 *
 * @example
 * ```ts
 * import { Arta } from "effect-arta"
 * import { Effect } from "effect"
 *
 * export const firstUrl = Arta.run({ prompt: "a lighthouse at dawn" }).pipe(
 *   Effect.map((generation) => generation.images[0].url)
 * )
 * ```
 *
 * @since 0.1.0
 * @category generating
 */
export const run = (
  options: Options,
  settings: RunSettings = {}
): Effect.Effect<Generation, RunError, ArtaApi.ArtaApi> =>
  Effect.map(
    settings.onEvent === undefined
      ? runGeneration(options, withDefaults(settings))
      : runAndReport(options, withDefaults(settings), settings.onEvent),
    generationOf
  )

const pollSubmitted = Effect.fnUntraced(function* (recordId: string, settings: Settings) {
  const id = yield* Effect.mapError(Schema.decode(RecordId)(recordId), () =>
    invalidOption("recordId", recordId, "the id of a submitted generation")
  )
  const { polling, timeout } = withDefaults(settings)
  return yield* makePollLoop(id, { polling, deadline: yield* makeDeadline(yield* decodeTimeout(timeout)) })
}, countedStart)

/**
 * Emits the events of a generation that this program or another submitted earlier. The timeout counts from now.
 *
 * Fails with `InvalidRequestError` if the record id is invalid, for example blank.
 *
 * @since 0.1.0
 * @category generating
 */
export const watch = (
  recordId: string,
  settings: Settings = {}
): Stream.Stream<GenerationEvent, WatchError, ArtaApi.ArtaApi> =>
  Effect.flatMap(pollSubmitted(recordId, settings), (loop) => countedEvents(nextEvent(loop))).pipe(
    Stream.unwrap,
    Stream.withSpan("Arta.watch", { ...clientSpan, attributes: { recordId } })
  )

/**
 * Waits for the images of a generation that this program or another submitted earlier. The timeout counts from now.
 *
 * Fails with `InvalidRequestError` if the record id is invalid, for example blank.
 *
 * @example
 * ```ts
 * import { Arta } from "effect-arta"
 * import { Effect } from "effect"
 *
 * export const patient = Arta.run({ prompt: "a lighthouse at dawn" }).pipe(
 *   Effect.catchTag("GenerationTimeoutError", (error) =>
 *     error.recordId === undefined ? Effect.fail(error) : Arta.resume(error.recordId, { timeout: "1 hour" })
 *   )
 * )
 * ```
 *
 * @since 0.1.0
 * @category generating
 */
export const resume = (
  recordId: string,
  settings: RunSettings = {}
): Effect.Effect<Generation, WatchError, ArtaApi.ArtaApi> =>
  pollSubmitted(recordId, settings).pipe(
    Effect.flatMap((loop) => Effect.onExit(outcome(loop, settings.onEvent), countOutcomeOf)),
    Effect.tap((completed) => settings.onEvent?.(completed)),
    Effect.map(generationOf),
    Effect.withSpan("Arta.resume", { ...clientSpan, attributes: { recordId } })
  )

/**
 * The outcome of one of many generations. `index` is its position among the requests.
 *
 * @since 0.1.0
 * @category models
 */
export interface Outcome {
  readonly index: number
  readonly request: Options
  readonly result: Either.Either<Generation, RunError>
}

/**
 * @since 0.1.0
 * @category options
 */
export interface AllSettings extends Settings {
  /** How many generations may run at once. Default: 4. */
  readonly concurrency?: number | "unbounded" | undefined
}

/**
 * Runs many generations, a few at a time, and emits each outcome as soon as it is known. If one fails, the others go
 * on. The submissions are sent in the order of the requests, but may overtake each other on several connections.
 *
 * @example
 * ```ts
 * import { Arta } from "effect-arta"
 * import { Console, Either, Stream } from "effect"
 *
 * export const program = Arta.generateAll([{ prompt: "a fox" }, { prompt: "a hare" }], { concurrency: 2 }).pipe(
 *   Stream.runForEach(({ index, result }) =>
 *     Either.match(result, {
 *       onLeft: (error) => Console.error(`${index}: ${error.message}`),
 *       onRight: (generation) => Console.log(`${index}: ${generation.images[0].url}`)
 *     })
 *   )
 * )
 * ```
 *
 * @since 0.1.0
 * @category generating
 */
export const generateAll = (
  requests: Iterable<Options>,
  settings: AllSettings = {}
): Stream.Stream<Outcome, never, ArtaApi.ArtaApi> => {
  const { concurrency = 4 } = settings
  return Stream.fromIterable(requests).pipe(
    Stream.zipWithIndex,
    Stream.mapEffect(
      ([request, index]) =>
        Effect.map(Effect.either(run(request, settings)), (result): Outcome => ({ index, request, result })),
      // `Stream.mapEffect` emits nothing if its concurrency is `Infinity`.
      { concurrency: concurrency === Infinity ? "unbounded" : concurrency, unordered: true }
    )
  )
}

/**
 * All of the above, bound to one `ArtaApi`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  readonly prepare: typeof prepare
  readonly submit: (options: Options, settings?: Settings) => Effect.Effect<Submitted, SubmitError>
  readonly generate: (options: Options, settings?: Settings) => Stream.Stream<GenerationEvent, GenerateError>
  readonly run: (options: Options, settings?: RunSettings) => Effect.Effect<Generation, RunError>
  readonly watch: (recordId: string, settings?: Settings) => Stream.Stream<GenerationEvent, WatchError>
  readonly resume: (recordId: string, settings?: RunSettings) => Effect.Effect<Generation, WatchError>
  readonly generateAll: (requests: Iterable<Options>, settings?: AllSettings) => Stream.Stream<Outcome>
}

/**
 * Binds the functions of this module to the program's `ArtaApi`, so that a service on top does not require it.
 *
 * @example
 * ```ts
 * import { Arta, type ArtaError } from "effect-arta"
 * import { Context, Effect, Layer } from "effect"
 *
 * class Postcards extends Context.Tag("example/Postcards")<
 *   Postcards,
 *   { readonly from: (place: string) => Effect.Effect<string, ArtaError.RunError> }
 * >() {}
 *
 * export const layer = Layer.effect(
 *   Postcards,
 *   Effect.map(Arta.make, (arta) => ({
 *     from: (place) =>
 *       Effect.map(arta.run({ prompt: `a postcard from ${place}` }), (generation) => generation.images[0].url)
 *   }))
 * )
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<Service, never, ArtaApi.ArtaApi> = Effect.gen(function* () {
  const api = Context.make(ArtaApi.ArtaApi, yield* ArtaApi.ArtaApi)
  // A caller may have a history of its own.
  const history = Context.make(DurationHistory, yield* DurationHistory)
  const services = (caller: Context.Context<never>) => Context.mergeAll(history, caller, api)
  const bound = Effect.mapInputContext(services)
  const boundStream = Stream.mapInputContext(services)
  return {
    prepare,
    submit: flow(submit, bound),
    generate: flow(generate, boundStream),
    run: flow(run, bound),
    watch: flow(watch, boundStream),
    resume: flow(resume, bound),
    generateAll: flow(generateAll, boundStream)
  }
})

/**
 * Turns a stream into an async iterable for `for await`. Failures are thrown as the typed errors themselves. Leaving
 * the loop ends the stream immediately. The services must outlive the loop, so take them from a `ManagedRuntime`.
 *
 * @example
 * ```ts
 * import { Arta } from "effect-arta"
 * import { NodeArta } from "effect-arta/node"
 * import { ManagedRuntime } from "effect"
 *
 * const runtime = ManagedRuntime.make(NodeArta.layerConfig())
 *
 * export const watch = async (recordId: string) => {
 *   for await (const event of await runtime.runPromise(Arta.toAsyncIterable(Arta.watch(recordId)))) {
 *     console.log(event._tag)
 *   }
 * }
 * ```
 *
 * @since 0.1.0
 * @category converting
 */
export const toAsyncIterable = <A, E, R>(stream: Stream.Stream<A, E, R>): Effect.Effect<AsyncIterable<A>, never, R> =>
  Effect.map(Effect.runtime<R>(), (runtime) => ({
    [Symbol.asyncIterator]: () => iterate(stream, Runtime.runPromiseExit(runtime))
  }))

/**
 * @since 0.1.0
 * @category options
 */
export interface ClientOptions {
  /**
   * Changes the HTTP client of the identity and image services, for example to log requests. Downloads do not use it.
   * Do not add retries: a submission that is sent twice is paid twice.
   */
  readonly transformClient?: ((client: HttpClient.HttpClient) => HttpClient.HttpClient) | undefined
}

/**
 * @since 0.1.0
 * @category options
 */
export interface LayerOptions extends Auth.Options, ArtaApi.Options, ClientOptions {}

/**
 * Provides `ArtaApi` and `Auth` from the program's own `HttpClient` and `TokenStore`. Fails with `InvalidRequestError`
 * if a URL among the options cannot be that of a service.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: LayerOptions
): Layer.Layer<ArtaApi.ArtaApi | Auth.Auth, InvalidRequestError, TokenStore | HttpClient.HttpClient> =>
  Layer.provide(Layers.layer(options), layerHttpTransport(options.transformClient))

/**
 * Reads the options from `Config`. Defaults: `ARTA_API_KEY`, `ARTA_API_URL`, `ARTA_SIGN_UP_URL` and `ARTA_TOKEN_URL`.
 * Fails with a `ConfigError` that names the variable if there is no API key, or if a URL cannot be that of a service.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  config: Overrides<LayerOptions> = {}
): Layer.Layer<ArtaApi.ArtaApi | Auth.Auth, ConfigError, TokenStore | HttpClient.HttpClient> =>
  Layer.provide(Layers.layerConfig(config), layerHttpTransport(config.transformClient))
