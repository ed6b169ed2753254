import * as Workflow from "@effect/workflow/Workflow"
import { Schema } from "effect"
import { GenerateRequest } from "effect-arta"

/** One row. */
export const Row = Workflow.make({
  name: "Row",
  payload: { row: Schema.Int, request: GenerateRequest.GenerateRequest },
  idempotencyKey: ({ row }) => String(row)
})

/** A page of rows, which share the cost of the engine. */
export const Page = Workflow.make({
  name: "Page",
  payload: { page: Schema.Int },
  idempotencyKey: ({ page }) => String(page)
})
