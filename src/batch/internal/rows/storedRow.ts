import * as Schema from "effect/Schema"
import { GenerateRequest } from "../../../GenerateRequest.js"
import { RowOutcome, RowState } from "../../BatchRow.js"

const OutcomeJson = Schema.parseJson(RowOutcome)

/** A row that a runner has claimed. */
export const ClaimedRow = Schema.Struct({
  batch: Schema.propertySignature(Schema.String).pipe(Schema.fromKey("batch_id")),
  row: Schema.Int,
  name: Schema.String,
  request: Schema.parseJson(GenerateRequest)
})

export type ClaimedRow = typeof ClaimedRow.Type

/** A row that has ended. */
export const EndedRow = Schema.Struct({
  ...ClaimedRow.fields,
  state: RowState,
  outcome: OutcomeJson,
  sortAt: Schema.propertySignature(Schema.Number).pipe(Schema.fromKey("sort_at"))
})

export type EndedRow = typeof EndedRow.Type

/** Identifies a row among those of all batches, and its submission in the ledger. */
export const keyOf = ({ batch, row }: Pick<ClaimedRow, "batch" | "row">): string => `${batch}/${String(row)}`

/** The state of a row with this outcome. */
export const stateOf = ({ _tag }: RowOutcome): RowState => {
  switch (_tag) {
    case "Saved":
      return "saved"
    case "Failed":
      return "failed"
    case "Unknown":
      return "unknown"
    case "Cancelled":
      return "cancelled"
  }
}

export const encodeOutcome: (outcome: RowOutcome) => string = Schema.encodeSync(OutcomeJson)

export const cancelledJson: string = encodeOutcome({ _tag: "Cancelled" })
