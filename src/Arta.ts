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
import * as HttpClient from "@effect/platform/HttpClient"
import type { ConfigError } from "effect/ConfigError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import { identity } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import * as Runtime from "effect/Runtime"
import type * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as ArtaApi from "./ArtaApi.js"
import type { ArtaError, RateLimitedError, UnknownModelError } from "./ArtaError.js"
import { InvalidRequestError } from "./ArtaError.js"
import * as Auth from "./Auth.js"
import type { GenerateRequest, Options } from "./GenerateRequest.js"
import type { GenerationEvent, GenerationStatus } from "./Generation.js"
import { Generation, RecordId, Submitted } from "./Generation.js"
import { iterate } from "./internal/asyncIterator.js"
import type { Overrides } from "./internal/config.js"
import { shown } from "./internal/errorMessages.js"
import type { Unchecked } from "./internal/generation/parseOptions.js"
import { decodeOptions } from "./internal/generation/parseOptions.js"
import { deadlineIn } from "./internal/generation/deadline.js"
import { pollLoop, skipValidation } from "./internal/generation/pollLoop.js"
import { recordDurations } from "./internal/durationRecorder.js"
import { countedEvents, countedOutcome, countedStart } from "./internal/metrics.js"
import { withAttemptSpan, retryForever, retryLazily } from "./internal/retry.js"
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
   * submission limiter of `ArtaApi`, which allows 32 at once, does not count.
   */
  readonly timeout?: Duration.DurationInput | undefined
}

const deadlineOf = (settings: Settings) => deadlineIn(settings.timeout ?? "5 minutes")

const pollingOf = (settings: Settings) => settings.polling ?? Polling.adaptive()

// Captured stack frames would always point here.
const noStackTrace = { captureStackTrace: false }

/**
 * Checks and completes options without sending anything. Returns the request that `generate` would submit, seed
 * included, which you can pass as options again.
 *
 * Fails with `InvalidRequestError` or `UnknownModelError`.
 *
 * @since 0.1.0
 * @category generating
 */
export const prepare: (options: Unchecked) => Effect.Effect<GenerateRequest, InvalidRequestError | UnknownModelError> =
  decodeOptions

const submit = Effect.fnUntraced(function* (api: ArtaApi.Service, request: GenerateRequest, settings: Settings) {
  const deadline = yield* deadlineOf(settings)
  // If the service refused the last attempt, it accepted nothing: fail with that refusal instead of the timeout.
  const refusal = yield* Ref.make<RateLimitedError | undefined>(undefined)
  const attempt = Effect.zipRight(
    Ref.set(refusal, undefined),
    Effect.tapErrorTag(api.submit(request), "RateLimitedError", (error) => Ref.set(refusal, error))
  )
  // After a rate limit, sending again is safe: nothing was accepted.
  const accepted = retryLazily(yield* withAttemptSpan(attempt), {
    schedule: retryForever,
    while: (error) =>
      error._tag === "RateLimitedError" &&
      Effect.map(deadline.left, Duration.greaterThan(error.retryAfter ?? Duration.zero))
  })
  const recordId = yield* deadline
    .limit(Effect.succeed({ request }))(accepted)
    .pipe(
      Effect.catchTag("GenerationTimeoutError", (timeout) =>
        Effect.flatMap(Ref.get(refusal), (refused) => Effect.fail(refused ?? timeout))
      )
    )
  return { recordId, deadline }
})

const start = Effect.fnUntraced(function* (options: Options, settings: Settings) {
  const request = yield* decodeOptions(options)
  const api = yield* ArtaApi.ArtaApi
  const limit = api.limitSubmissions ?? identity
  const { deadline, recordId } = yield* limit(submit(api, request, settings))
  yield* Effect.annotateCurrentSpan({ recordId, model: request.model })
  const submission = yield* recordDurations(request)
  const loop = yield* pollLoop(recordId, { polling: pollingOf(settings), deadline, submission })
  return { recordId, request, loop }
}, countedStart)

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
): Stream.Stream<GenerationEvent, ArtaError, ArtaApi.ArtaApi> =>
  Effect.map(start(options, settings), ({ loop, recordId, request }) =>
    countedEvents(Stream.concat(Stream.succeed(new Submitted({ recordId, request }, skipValidation)), loop.events))
  ).pipe(Stream.unwrap, Stream.withSpan("Arta.generate", noStackTrace))

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
): Stream.Stream<GenerationEvent, ArtaError, ArtaApi.ArtaApi> =>
  Effect.gen(function* () {
    const id = yield* Effect.mapError(
      Schema.decode(RecordId)(recordId),
      () =>
        new InvalidRequestError({
          field: "recordId",
          value: shown(recordId),
          allowed: "the id of a submitted generation"
        })
    )
    const { events } = yield* pollLoop(id, { polling: pollingOf(settings), deadline: yield* deadlineOf(settings) })
    return countedEvents(events)
  }).pipe(Stream.unwrap, Stream.withSpan("Arta.watch", { ...noStackTrace, attributes: { recordId } }))

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
export const run = (options: Options, settings: Settings = {}): Effect.Effect<Generation, ArtaError, ArtaApi.ArtaApi> =>
  Effect.gen(function* () {
    const { loop, recordId, request } = yield* start(options, settings)
    const { elapsed, images } = yield* countedOutcome(loop.outcome)
    return new Generation({ recordId, images, elapsed, request }, skipValidation)
  }).pipe(Effect.withSpan("Arta.run", noStackTrace))

/**
 * The outcome of one of many generations. `index` is its position among the requests.
 *
 * @since 0.1.0
 * @category models
 */
export interface Outcome {
  readonly index: number
  readonly request: Options
  readonly result: Either.Either<Generation, ArtaError>
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
 * on.
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
): Stream.Stream<Outcome, never, ArtaApi.ArtaApi> =>
  Stream.fromIterable(requests).pipe(
    Stream.zipWithIndex,
    Stream.mapEffect(
      ([request, index]) =>
        Effect.map(Effect.either(run(request, settings)), (result): Outcome => ({ index, request, result })),
      { concurrency: settings.concurrency ?? 4, unordered: true }
    )
  )

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

const withTransformedClient =
  ({ transformClient = identity }: ClientOptions) =>
  <A, E, R>(layer: Layer.Layer<A, E, R>): Layer.Layer<A, E, Exclude<R, HttpClient.HttpClient> | HttpClient.HttpClient> =>
    Layer.provide(layer, Layer.effect(HttpClient.HttpClient, Effect.map(HttpClient.HttpClient, transformClient)))

/**
 * @since 0.1.0
 * @category options
 */
export interface LayerOptions extends Auth.Options, ArtaApi.Options, ClientOptions {}

/**
 * Provides `ArtaApi` and `Auth` from the program's own `HttpClient` and `TokenStore`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: LayerOptions
): Layer.Layer<ArtaApi.ArtaApi | Auth.Auth, never, TokenStore | HttpClient.HttpClient> =>
  Layer.provideMerge(ArtaApi.layer(options), Auth.layer(options)).pipe(withTransformedClient(options))

/**
 * Reads the options from `Config`. Defaults: `ARTA_API_KEY`, `ARTA_API_URL`, `ARTA_SIGN_UP_URL` and `ARTA_TOKEN_URL`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  config: Overrides<LayerOptions> = {}
): Layer.Layer<ArtaApi.ArtaApi | Auth.Auth, ConfigError, TokenStore | HttpClient.HttpClient> =>
  Layer.provideMerge(ArtaApi.layerConfig(config), Auth.layerConfig(config)).pipe(withTransformedClient(config))
