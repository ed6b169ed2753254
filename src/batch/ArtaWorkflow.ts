/**
 * A generation as a workflow of `@effect/workflow`, for programs that have a workflow engine.
 *
 * The engine runs the workflow again if its process dies. The ledger makes sure that the submission is sent at most
 * once even then: the new process finds the record id and waits for the images. Execute `ArtaWorkflow`, or use `draw`
 * as one step of a workflow of your own.
 *
 * @example
 * ```ts
 * import { ClusterWorkflowEngine, SingleRunner } from "@effect/cluster"
 * import { SqliteClient } from "@effect/sql-sqlite-node"
 * import { GenerateRequest } from "effect-arta"
 * import { ArtaWorkflow, BatchDatabase, SubmissionLedger } from "effect-arta/batch"
 * import { NodeArta } from "effect-arta/node"
 * import { Layer } from "effect"
 *
 * const EngineLayer = ClusterWorkflowEngine.layer.pipe(
 *   Layer.provide(SingleRunner.layer()),
 *   // Provided to the engine, so that it is released after it: see `layer`.
 *   Layer.provideMerge(Layer.provide(SubmissionLedger.layerSql(), BatchDatabase.layer())),
 *   Layer.provide(SqliteClient.layer({ filename: "images.sqlite" }))
 * )
 *
 * export const WorkflowLayer = ArtaWorkflow.layer().pipe(
 *   Layer.provideMerge(EngineLayer),
 *   Layer.provide(NodeArta.layerConfig())
 * )
 *
 * // However often this runs, and whatever process is killed meanwhile, the lighthouse is paid for once.
 * export const lighthouse = ArtaWorkflow.ArtaWorkflow.execute({
 *   batch: "postcards",
 *   row: 0,
 *   request: new GenerateRequest.GenerateRequest({ prompt: "a lighthouse at dawn", seed: 7 })
 * })
 * ```
 *
 * @since 0.1.0
 */
import * as Activity from "@effect/workflow/Activity"
import * as Workflow from "@effect/workflow/Workflow"
import type { WorkflowEngine } from "@effect/workflow/WorkflowEngine"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Arta from "../Arta.js"
import type { ArtaApi } from "../ArtaApi.js"
import { ArtaError } from "../ArtaError.js"
import type { Auth } from "../Auth.js"
import { GenerateRequest } from "../GenerateRequest.js"
import { Generation } from "../Generation.js"
import { DatabaseError } from "./BatchDatabase.js"
import * as SubmissionLedger from "./SubmissionLedger.js"

/**
 * The errors of the workflow. An engine stores them with the result.
 *
 * @since 0.1.0
 * @category errors
 */
export const DrawError: Schema.Union<[typeof ArtaError, typeof DatabaseError]> = Schema.Union(ArtaError, DatabaseError)

/**
 * @since 0.1.0
 * @category errors
 */
export type DrawError = typeof DrawError.Type

/**
 * What to generate. The batch and the row identify the generation: the request counts only the first time.
 *
 * @since 0.1.0
 * @category models
 */
export const Payload: Schema.Struct<{
  batch: typeof Schema.NonEmptyString
  row: typeof Schema.NonNegativeInt
  request: typeof GenerateRequest
}> = Schema.Struct({
  batch: Schema.NonEmptyString,
  row: Schema.NonNegativeInt,
  request: GenerateRequest
})

/**
 * @since 0.1.0
 * @category models
 */
export type Payload = typeof Payload.Type

/**
 * The key of a generation in the ledger, for `SubmissionLedger.retryUnknown`: the batch, a slash, and the row.
 *
 * @since 0.1.0
 * @category models
 */
export const key = ({ batch, row }: Pick<Payload, "batch" | "row">): string => `${batch}/${String(row)}`

/**
 * How to wait for a generation.
 *
 * @since 0.1.0
 * @category options
 */
export type Settings = Pick<Arta.Settings, "polling" | "timeout">

/**
 * Generates images as one activity, for a workflow of your own. It submits and polls, so a restart repeats no step that
 * is paid for.
 *
 * An engine stores the outcome of an activity, an error too. `Activity.retry` tries again, for example after a
 * `GenerationTimeoutError`: the ledger then returns the generation that was submitted before. A
 * `SubmissionUnknownError` remains until `SubmissionLedger.retryUnknown`.
 *
 * @example
 * ```ts
 * import { Activity, Workflow } from "@effect/workflow"
 * import { GenerateRequest, Generation } from "effect-arta"
 * import { ArtaWorkflow } from "effect-arta/batch"
 * import { Effect, Schema } from "effect"
 *
 * const Postcard = Workflow.make({
 *   name: "Postcard",
 *   payload: { place: Schema.String },
 *   idempotencyKey: ({ place }) => place,
 *   success: Generation.Generation,
 *   error: ArtaWorkflow.DrawError
 * })
 *
 * export const PostcardLayer = Postcard.toLayer(({ place }) => {
 *   const request = new GenerateRequest.GenerateRequest({ prompt: `a postcard from ${place}`, seed: 7 })
 *   return ArtaWorkflow.draw({ batch: `postcard from ${place}`, row: 0, request }).pipe(
 *     Activity.retry({ times: 3, while: (error) => error._tag === "GenerationTimeoutError" }),
 *     Effect.tap((generation) => Effect.log(generation.images[0].url))
 *   )
 * })
 * ```
 *
 * @since 0.1.0
 * @category activities
 */
export const draw = (
  payload: Payload,
  settings: Settings = {}
): Activity.Activity<typeof Generation, typeof DrawError, SubmissionLedger.SubmissionLedger | ArtaApi | Auth> =>
  Activity.make({
    name: `ArtaWorkflow.draw/${key(payload)}`,
    success: Generation,
    error: DrawError,
    // The engine repeats an interrupted activity, and the ledger does not send again.
    execute: SubmissionLedger.draw(key(payload), payload.request, settings)
  })

/**
 * The workflow of one generation. `execute` returns the generation, `execute` with `discard` its id in the engine, for
 * `poll`.
 *
 * The engine stores the result, so that the same batch and row return it at once, an error too.
 *
 * @since 0.1.0
 * @category workflows
 */
export const ArtaWorkflow: Workflow.Workflow<
  "effect-arta/ArtaWorkflow",
  typeof Payload,
  typeof Generation,
  typeof DrawError
> = Workflow.make({
  name: "effect-arta/ArtaWorkflow",
  payload: Payload,
  idempotencyKey: key,
  success: Generation,
  error: DrawError
})

/**
 * Runs `ArtaWorkflow` on the engine of the program. Several runners of a cluster may provide it.
 *
 * Provide the ledger to the engine too, not only to this layer. It is then released after the engine, and its heartbeat
 * tells other runners that a submission under way is still being sent.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  settings: Settings = {}
): Layer.Layer<never, never, WorkflowEngine | SubmissionLedger.SubmissionLedger | ArtaApi | Auth> =>
  ArtaWorkflow.toLayer((payload) => draw(payload, settings))
