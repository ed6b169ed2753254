import type * as Path from "@effect/platform/Path"
import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Order from "effect/Order"
import type { BatchStatus } from "effect-arta/batch"
import type { Row } from "../promptFile/promptFile.js"
import type { BatchSource } from "./rows.js"
import { nameOf } from "./rows.js"

/** A batch of a file in the database, which `--again` generates in several rounds. */
export interface Round {
  readonly batch: string
  readonly round: number
  /** Undefined: the database does not have it yet. */
  readonly summary: BatchStatus.BatchSummary | undefined
}

/** The name of a later round has its number. */
const nameOfRound = (firstName: string, round: number): string =>
  round === 1 ? firstName : `${firstName}~${String(round)}`

/** The round of this file that a batch is, or none if it is another batch. */
const roundOf = (firstName: string) => (summary: BatchStatus.BatchSummary) => {
  const { batch } = summary
  const round = batch === firstName ? 1 : Number(batch.slice(firstName.length + 1))
  const isRound = Number.isSafeInteger(round) && round > 0 && batch === nameOfRound(firstName, round)
  return isRound ? Option.some({ batch, round, summary } satisfies Round) : Option.none()
}

/** Whether an earlier run has started a round of `--again` that was not cancelled, and not all of its rows have ended. */
const isUnfinished = ({ round, summary }: Round): boolean =>
  round > 1 &&
  summary !== undefined &&
  Option.isNone(summary.cancelledAt) &&
  summary.rows.queued + summary.rows.running + summary.rows.unknown > 0

/**
 * The round to run: the newest one, or with `--again` the next one once the newest has ended. `--again` never starts
 * with the first round, whose rows a batch without a database may have generated with the same seeds.
 */
export const chooseRound = (
  rows: ReadonlyArray<Row>,
  summaries: ReadonlyArray<BatchStatus.BatchSummary>,
  input: BatchSource & { readonly again: boolean }
): Effect.Effect<Round, never, Path.Path> =>
  Effect.map(nameOf(rows, input), (firstName) => {
    const rounds = Array.filterMap(summaries, roundOf(firstName))
    const newest = Array.sortWith(rounds, ({ round }) => round, Order.number).at(-1)
    if (newest !== undefined && (!input.again || isUnfinished(newest))) return newest
    const round = input.again ? (newest?.round ?? 1) + 1 : 1
    return { batch: nameOfRound(firstName, round), round, summary: undefined }
  })
