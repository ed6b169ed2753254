import {
  FetchHttpClient,
  HttpApi,
  HttpApiBuilder,
  HttpApiClient,
  HttpApiEndpoint,
  HttpApiGroup,
  HttpApiSchema,
  HttpServer,
  OpenApi
} from "@effect/platform"
import { NodeHttpServer } from "@effect/platform-node"
import { Rpc, RpcClient, RpcGroup, RpcSerialization, RpcServer } from "@effect/rpc"
import { describe, expect, it } from "@effect/vitest"
import { Validator } from "@seriousme/openapi-schema-validator"
import { Arbitrary, Array, Chunk, Duration, Effect, FastCheck, Layer, Schema, Stream } from "effect"
import { Arta, ArtaError, GenerateRequest, Generation } from "effect-arta"
import { createServer } from "node:http"
import { seed } from "../support/suite.js"

const statuses: Record<ArtaError.ArtaError["_tag"], number> = {
  InvalidRequestError: 400,
  UnknownModelError: 404,
  AuthError: 424,
  TokenStoreError: 424,
  TransportError: 424,
  ResponseError: 424,
  UnauthorizedError: 424,
  RateLimitedError: 429,
  SubmissionUnknownError: 424,
  GenerationFailedError: 422,
  GenerationTimeoutError: 424,
  DownloadError: 424
}

const sample = <A, I>(schema: Schema.Schema<A, I>, numRuns: number): ReadonlyArray<A> =>
  FastCheck.sample(Arbitrary.make(schema), { seed, numRuns })

/** A few of each tag. */
const errors = Object.values(Array.groupBy(sample(ArtaError.ArtaError, 300), ({ _tag }) => _tag)).flatMap(Array.take(4))
const events = sample(Generation.GenerationEvent, 20)

const failWith = (index: number) => Effect.flatMap(Effect.orDie(Effect.fromNullable(errors[index])), Effect.fail)

/** Stands for a service that generates images: it checks the options that arrive. */
const generate = (options: GenerateRequest.Options) =>
  Effect.map(
    Arta.prepare(options),
    (request) =>
      new Generation.Generation({
        recordId: Generation.RecordId.make("record-1"),
        images: [{ index: 0, url: "https://images.test/0.png" }],
        elapsed: Duration.seconds(3),
        request
      })
  )

const api = HttpApi.make("api").add(
  HttpApiGroup.make("images", { topLevel: true })
    .add(
      HttpApiEndpoint.post("generate", "/generations")
        .setPayload(GenerateRequest.Options)
        .addSuccess(Generation.Generation)
    )
    .add(HttpApiEndpoint.get("fail")`/errors/${HttpApiSchema.param("index", Schema.NumberFromString)}`)
    .add(HttpApiEndpoint.get("events", "/events").addSuccess(Schema.Array(Generation.GenerationEvent)))
    .add(HttpApiEndpoint.post("status", "/status").setPayload(Generation.GenerationStatus))
    .addError(ArtaError.ArtaError)
)

const ImagesLive = HttpApiBuilder.group(api, "images", (handlers) =>
  handlers
    .handle("generate", ({ payload }) => generate(payload))
    .handle("fail", ({ path }) => failWith(path.index))
    .handle("events", () => Effect.succeed(events))
    .handle("status", () => Effect.void)
)

class Rpcs extends RpcGroup.make(
  Rpc.make("generate", {
    payload: GenerateRequest.Options,
    success: Generation.Generation,
    error: ArtaError.ArtaError
  }),
  Rpc.make("fail", { payload: { index: Schema.Int }, error: ArtaError.ArtaError }),
  Rpc.make("events", { success: Generation.GenerationEvent, error: ArtaError.ArtaError, stream: true })
) {}

const HandlersLive = Rpcs.toLayer({
  generate,
  fail: ({ index }) => failWith(index),
  events: () => Stream.fromIterable(events)
})

const ServerLive = NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" })
const baseUrl = HttpServer.addressFormattedWith(Effect.succeed)

const HttpApiLive = HttpApiBuilder.serve().pipe(
  Layer.provide(HttpApiBuilder.api(api)),
  Layer.provide(ImagesLive),
  Layer.provideMerge(ServerLive),
  Layer.merge(FetchHttpClient.layer)
)

const RpcLive = Layer.unwrapEffect(Effect.map(baseUrl, (url) => RpcClient.layerProtocolHttp({ url }))).pipe(
  Layer.merge(Layer.unwrapScoped(Effect.map(RpcServer.toHttpApp(Rpcs), (app) => HttpServer.serve(app)))),
  Layer.provide(HandlersLive),
  Layer.provide(RpcSerialization.layerNdjson),
  Layer.provide(ServerLive),
  Layer.provide(FetchHttpClient.layer)
)

const encode = Schema.encodeSync(ArtaError.ArtaError)

const expectSame = (received: unknown, sent: ArtaError.ArtaError) => {
  expect(received).toBeInstanceOf(sent.constructor)
  expect(received).toHaveProperty("message", sent.message)
  expect(encode(received as ArtaError.ArtaError)).toEqual(encode(sent))
}

const chat: GenerateRequest.Options = {
  messages: [
    { role: "system", content: "You draw." },
    { role: "user", content: [{ type: "text", text: "a lighthouse" }] }
  ]
}

const details = {
  negativePrompt: "",
  n: 2,
  guidanceScale: 0.5,
  numInferenceSteps: 20,
  aspectRatio: "16:9",
  seed: 7
}
const options = { ...chat, ...details, model: "anime" }
const requested = { ...details, prompt: "a lighthouse", model: "Anime" }

it("samples every error", () => {
  expect(new Set(errors.map(({ _tag }) => _tag))).toEqual(new Set(Object.keys(statuses)))
})

describe("HttpApi", () => {
  const connect = Effect.flatMap(baseUrl, (url) => HttpApiClient.make(api, { baseUrl: url }))

  // fault: Composition | Any error crosses an `HttpApi` | the same error, with a status on which no client pays twice
  it.effect("returns each error with its status, and the client gets the same error", () =>
    Effect.gen(function* () {
      const url = yield* baseUrl
      const client = yield* connect
      for (const [index, error] of errors.entries()) {
        expectSame(yield* Effect.flip(client.fail({ path: { index } })), error)
        const response = yield* Effect.promise(() => fetch(`${url}/errors/${String(index)}`))
        yield* Effect.promise(() => response.text())
        expect([error._tag, response.status]).toEqual([error._tag, statuses[error._tag]])
      }
    }).pipe(Effect.provide(HttpApiLive))
  )

  it.effect("takes the options of a generation", () =>
    Effect.gen(function* () {
      const client = yield* connect
      expect((yield* client.generate({ payload: options })).request).toMatchObject(requested)
      expect(yield* Effect.flip(client.generate({ payload: { prompt: "a cat", n: 0 } }))).toMatchObject({
        _tag: "InvalidRequestError",
        field: "n"
      })
      expect(yield* client.events()).toEqual(events)
    }).pipe(Effect.provide(HttpApiLive))
  )

  it.effect.each([{ prompt: "a cat", width: 512 }, { prompt: 5 }, { messages: [{ content: "a cat" }] }])(
    "refuses options that are not in the document: %j",
    (payload) =>
      Effect.gen(function* () {
        const body = { method: "POST", body: JSON.stringify(payload), headers: { "content-type": "application/json" } }
        const url = yield* baseUrl
        const response = yield* Effect.promise(() => fetch(`${url}/generations`, body))
        expect(response.status).toBe(400)
        expect(yield* Effect.promise(() => response.json())).toMatchObject({ _tag: "HttpApiDecodeError" })
      }).pipe(Effect.provide(HttpApiLive))
  )

  it.effect("has a valid OpenAPI document", () =>
    Effect.gen(function* () {
      const document = OpenApi.fromApi(api)
      const validator = new Validator()
      expect(yield* Effect.promise(() => validator.validate({ ...document }))).toEqual({ valid: true })
      const { paths } = document
      expect(Object.keys(paths["/errors/{index}"]?.get?.responses ?? {}).map(Number)).toEqual(
        expect.arrayContaining([...new Set(Object.values(statuses))])
      )
    })
  )
})

describe("RPC", () => {
  // fault: Composition | Any error crosses an RPC | the same error
  it.effect("returns each error, and the client gets the same error", () =>
    Effect.gen(function* () {
      const client = yield* RpcClient.make(Rpcs)
      for (const [index, error] of errors.entries()) expectSame(yield* Effect.flip(client.fail({ index })), error)
    }).pipe(Effect.scoped, Effect.provide(RpcLive))
  )

  it.effect("takes the options of a generation, and streams its events", () =>
    Effect.gen(function* () {
      const client = yield* RpcClient.make(Rpcs)
      expect((yield* client.generate(options)).request).toMatchObject(requested)
      expect(yield* Effect.flip(client.generate({ prompt: "a cat", model: "nope" }))).toMatchObject({
        _tag: "UnknownModelError",
        model: "nope"
      })
      expect(Chunk.toReadonlyArray(yield* Stream.runCollect(client.events()))).toEqual(events)
    }).pipe(Effect.scoped, Effect.provide(RpcLive))
  )
})
