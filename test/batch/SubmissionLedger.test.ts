import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Option, Ref } from "effect"
import { ArtaApi, ArtaError, Auth, GenerateRequest, Generation } from "effect-arta"
import { BatchDatabase, SubmissionLedger } from "effect-arta/batch"
import { sqliteFile } from "../support/batch/databases.js"

const request = new GenerateRequest.GenerateRequest({ prompt: "a fox", seed: 7 })
const recordId = Generation.RecordId.make("record-1")
const auth = Auth.layerToken("token")

const done: Generation.GenerationStatus = { _tag: "Done", images: [{ index: 0, url: "https://images.example/0.png" }] }

/** An API that counts the submissions. */
const countingApi = (submit: Effect.Effect<Generation.RecordId, ArtaApi.SubmitError>) =>
  Effect.map(Ref.make(0), (count) => ({
    count: Ref.get(count),
    layer: Layer.merge(
      auth,
      Layer.succeed(ArtaApi.ArtaApi, {
        submit: () =>
          Effect.zipRight(
            Ref.update(count, (n) => n + 1),
            submit
          ),
        status: () => Effect.succeed(done)
      })
    )
  }))

const sqlite = Layer.unwrapScoped(
  Effect.map(sqliteFile, ({ open }) =>
    Layer.provide(SubmissionLedger.layerSql(), Layer.provide(BatchDatabase.layer(), open))
  )
)

const layers: Record<string, Layer.Layer<SubmissionLedger.SubmissionLedger, unknown>> = {
  layerMemory: SubmissionLedger.layerMemory,
  "layerSql on SQLite": sqlite
}

describe.each(Object.entries(layers))("SubmissionLedger.%s", (_, layer) => {
  it.effect("submits once under a key, and returns the outcome again", () =>
    Effect.gen(function* () {
      const api = yield* countingApi(Effect.succeed(recordId))
      const draw = Effect.provide(SubmissionLedger.draw("key", request), api.layer)
      const first = yield* draw
      expect(yield* draw).toEqual(first)
      expect(first.request).toEqual(request)
      expect(yield* api.count).toBe(1)
    }).pipe(Effect.provide(layer))
  )

  it.effect("sends an unknown submission again only on request", () =>
    Effect.gen(function* () {
      const api = yield* countingApi(new ArtaError.SubmissionUnknownError({ request }))
      const ledger = yield* SubmissionLedger.SubmissionLedger
      const submit = Effect.flip(Effect.provide(ledger.submit("key", request), api.layer))
      expect(yield* submit).toMatchObject({ _tag: "SubmissionUnknownError" })
      expect(yield* submit).toMatchObject({ _tag: "SubmissionUnknownError" })
      expect(yield* api.count).toBe(1)
      expect(yield* ledger.retryUnknown("key")).toBe(true)
      yield* submit
      expect(yield* api.count).toBe(2)
      expect(Option.map(yield* ledger.find("key"), ({ _tag }) => _tag)).toEqual(Option.some("Unknown"))
    }).pipe(Effect.provide(layer))
  )
})
