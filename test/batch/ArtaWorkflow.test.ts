import * as ClusterWorkflowEngine from "@effect/cluster/ClusterWorkflowEngine"
import * as SingleRunner from "@effect/cluster/SingleRunner"
import { describe, expect, it } from "@effect/vitest"
import * as Workflow from "@effect/workflow/Workflow"
import * as Activity from "@effect/workflow/Activity"
import * as WorkflowEngine from "@effect/workflow/WorkflowEngine"
import { Deferred, Effect, Exit, Fiber, Layer, Option, Ref, Schema } from "effect"
import { ArtaApi, ArtaError, Auth, GenerateRequest, Generation } from "effect-arta"
import { ArtaWorkflow, BatchDatabase, SubmissionLedger } from "effect-arta/batch"
import { sqliteFile } from "../support/batch/databases.js"

const request = new GenerateRequest.GenerateRequest({ prompt: "a fox", seed: 7 })
const payload = { batch: "animals", row: 0, request }
const recordId = Generation.RecordId.make("record-1")

type Submit = Effect.Effect<Generation.RecordId, ArtaApi.SubmitError>
type Status = Effect.Effect<Generation.GenerationStatus, ArtaApi.StatusError>

const done: Status = Effect.succeed({ _tag: "Done", images: [{ index: 0, url: "https://images.example/0.png" }] })
const accepted: Submit = Effect.succeed(recordId)

/** A service that counts the submissions. */
const makeService = (submit: Submit, status: Status = done) =>
  Effect.map(Ref.make(0), (count) => ({
    submissions: Ref.get(count),
    layer: Layer.merge(
      Auth.layerToken("token"),
      Layer.succeed(ArtaApi.ArtaApi, {
        submit: () =>
          Effect.zipRight(
            Ref.update(count, (n) => n + 1),
            submit
          ),
        status: () => status
      })
    )
  }))

const onMemory = Layer.provideMerge(
  ArtaWorkflow.layer(),
  Layer.merge(WorkflowEngine.layerMemory, SubmissionLedger.layerMemory)
)

describe("ArtaWorkflow", () => {
  it.effect("generates once, however often a row of a batch is executed", () =>
    Effect.gen(function* () {
      const service = yield* makeService(accepted)
      const generations = yield* Effect.all([
        ArtaWorkflow.ArtaWorkflow.execute(payload),
        ArtaWorkflow.ArtaWorkflow.execute({ ...payload, row: 1 }),
        ArtaWorkflow.ArtaWorkflow.execute(payload)
      ]).pipe(Effect.provide(Layer.provide(onMemory, service.layer)))
      expect(generations.map((generation) => generation.recordId)).toEqual([recordId, recordId, recordId])
      expect(generations[0].request).toEqual(request)
      expect(yield* service.submissions).toBe(2)
    })
  )

  it.effect("fails with the error of the library", () =>
    Effect.gen(function* () {
      const service = yield* makeService(
        accepted,
        Effect.succeed({ _tag: "Failed", status: "FAILED", detail: "no fox" })
      )
      const failure = yield* ArtaWorkflow.ArtaWorkflow.execute(payload).pipe(
        Effect.flip,
        Effect.provide(Layer.provide(onMemory, service.layer))
      )
      expect(failure).toMatchObject({ _tag: "GenerationFailedError", recordId, detail: "no fox" })
      expect(Schema.is(ArtaError.GenerationFailedError)(failure)).toBe(true)
    })
  )

  it.effect("fails with a typed error if the database refuses a statement", () =>
    Effect.gen(function* () {
      const service = yield* makeService(accepted)
      const refused = new BatchDatabase.DatabaseError({ operation: "find a submission", reason: "no such table" })
      const ledger = Layer.effect(
        SubmissionLedger.SubmissionLedger,
        Effect.map(SubmissionLedger.SubmissionLedger, (working) => ({ ...working, submit: () => Effect.fail(refused) }))
      ).pipe(Layer.provide(SubmissionLedger.layerMemory))
      const exit = yield* ArtaWorkflow.ArtaWorkflow.execute(payload).pipe(
        Effect.exit,
        Effect.provide(
          Layer.provideMerge(ArtaWorkflow.layer(), Layer.mergeAll(WorkflowEngine.layerMemory, ledger, service.layer))
        )
      )
      expect(exit).toEqual(Exit.fail(refused))
    })
  )

  // fault: Batch database | The engine interrupts and repeats an activity during its submission | one POST
  it.live("does not send again if the engine repeats an activity that it interrupted", () =>
    Effect.gen(function* () {
      const sent = yield* Deferred.make<undefined>()
      const respond = yield* Deferred.make<Generation.RecordId>()
      const service = yield* makeService(Effect.zipRight(Deferred.succeed(sent, undefined), Deferred.await(respond)))
      // An interruption from inside, which is what the engine repeats.
      const Interrupted = Workflow.make({
        name: "Interrupted",
        payload: { id: Schema.String },
        idempotencyKey: ({ id }) => id,
        success: Generation.Generation,
        error: ArtaWorkflow.DrawError
      })
      const attempts = yield* Ref.make(0)
      const layer = Interrupted.toLayer(() =>
        Activity.make({
          name: "interrupted",
          success: Generation.Generation,
          error: ArtaWorkflow.DrawError,
          execute: Effect.gen(function* () {
            const attempt = yield* Ref.updateAndGet(attempts, (n) => n + 1)
            const drawing = yield* Effect.fork(ArtaWorkflow.draw(payload).execute)
            if (attempt === 1) {
              yield* Deferred.await(sent)
              yield* Fiber.interruptFork(drawing)
              yield* Deferred.succeed(respond, recordId)
            }
            return yield* Fiber.join(drawing)
          })
        })
      )
      const generation = yield* Interrupted.execute({ id: "1" }).pipe(
        Effect.provide(
          Layer.provideMerge(
            layer,
            Layer.mergeAll(WorkflowEngine.layerMemory, SubmissionLedger.layerMemory, service.layer)
          )
        )
      )
      expect(generation.recordId).toBe(recordId)
      expect(yield* Ref.get(attempts)).toBe(2)
      expect(yield* service.submissions).toBe(1)
    })
  )

  it.effect("is a step of another workflow, which sends again only on request", () =>
    Effect.gen(function* () {
      const isFirst = yield* Ref.make(true)
      const doubtful = Effect.whenEffect(
        new ArtaError.SubmissionUnknownError({ request }),
        Ref.getAndSet(isFirst, false)
      )
      const service = yield* makeService(Effect.zipRight(doubtful, accepted))
      const Postcard = Workflow.make({
        name: "Postcard",
        payload: { resend: Schema.Boolean },
        idempotencyKey: ({ resend }) => String(resend),
        success: Generation.Generation,
        error: ArtaWorkflow.DrawError
      })
      const layer = Postcard.toLayer(({ resend }) =>
        ArtaWorkflow.draw(payload).pipe(
          Effect.tapErrorTag("SubmissionUnknownError", () =>
            Effect.flatMap(SubmissionLedger.SubmissionLedger, (ledger) =>
              Effect.when(ledger.retryUnknown(ArtaWorkflow.key(payload)), () => resend)
            )
          ),
          Activity.retry({ times: 1 })
        )
      )
      yield* Effect.gen(function* () {
        expect(yield* Effect.flip(Postcard.execute({ resend: false }))).toMatchObject({
          _tag: "SubmissionUnknownError"
        })
        expect(yield* service.submissions).toBe(1)
        expect((yield* Postcard.execute({ resend: true })).recordId).toBe(recordId)
        expect(yield* service.submissions).toBe(2)
        const ledger = yield* SubmissionLedger.SubmissionLedger
        expect(Option.map(yield* ledger.find("animals/0"), ({ _tag }) => _tag)).toEqual(Option.some("Completed"))
      }).pipe(
        Effect.provide(
          Layer.provideMerge(
            layer,
            Layer.mergeAll(WorkflowEngine.layerMemory, SubmissionLedger.layerMemory, service.layer)
          )
        )
      )
    })
  )

  // fault: Batch database | A workflow is executed twice at the same time, and again after its engine has lost its state | one POST
  it.scopedLive("generates once on an engine that keeps its state in a database", () =>
    Effect.gen(function* () {
      const { open, query } = yield* sqliteFile
      const service = yield* makeService(accepted)
      const engine = ClusterWorkflowEngine.layer.pipe(
        Layer.provide(SingleRunner.layer()),
        Layer.provideMerge(Layer.provide(SubmissionLedger.layerSql(), BatchDatabase.layer())),
        Layer.provide(open)
      )
      const program = ArtaWorkflow.layer().pipe(Layer.provideMerge(engine), Layer.provide(service.layer))
      const execute = ArtaWorkflow.ArtaWorkflow.execute(payload)
      const [one, other] = yield* Effect.all([execute, execute], { concurrency: 2 }).pipe(Effect.provide(program))
      expect(one).toEqual(other)
      expect(one).toMatchObject({ recordId, request })
      expect(yield* service.submissions).toBe(1)
      expect(yield* query("SELECT key, record_id FROM arta_submissions")).toEqual([
        { key: "animals/0", record_id: recordId }
      ])

      // Without the state of the engine, the ledger still knows the submission.
      yield* query("DELETE FROM cluster_replies")
      yield* query("DELETE FROM cluster_messages")
      expect(yield* Effect.provide(execute, program)).toEqual(one)
      expect(yield* service.submissions).toBe(1)
    })
  )
})
