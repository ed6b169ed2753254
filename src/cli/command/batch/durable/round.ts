import type * as Path from "@effect/platform/Path"
import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Order from "effect/Order"
import type { BatchStatus } from "effect-arta/batch"
import type { Row } from "../promptFile/promptFile.js"
import type { Named } from "./rows.js"
import { nameOf } from "./rows.js"

/** A batch of a file in the database, which `--again` generates in several rounds. */
export interface Round {
  readonly batch: string
  readonly round: number
  /** Undefined: the database does not have it yet. */
  readonly summary: BatchStatus.BatchSummary | undefined
}

/** The name of a later round has its number. */
const nameIn = (first: string, round: number): string => (round === 1 ? first : `${first}~${String(round)}`)

/** The round that a batch of this file is. None: it is another batch. */
const roundOf = (first: string) => (summary: BatchStatus.BatchSummary) => {
  const { batch } = summary
  const round = batch === first ? 1 : Number(batch.slice(first.length + 1))
  return batch === nameIn(first, round) ? Option.some({ batch, round, summary } satisfies Round) : Option.none()
}

/** Whether an earlier run has started a round of `--again`, and not all of its rows have ended. */
const isUnfinished = ({ round, summary }: Round): boolean =>
  round > 1 && summary !== undefined && summary.rows.queued + summary.rows.running + summary.rows.unknown > 0

/**
 * The round to run: the newest one, or with `--again` the next one once the newest has ended. `--again` never starts
 * with the first round, whose rows a batch without a database may have generated with the same seeds.
 */
export const chooseRound = (
  rows: ReadonlyArray<Row>,
  summaries: ReadonlyArray<BatchStatus.BatchSummary>,
  input: Named & { readonly again: boolean }
): Effect.Effect<Round, never, Path.Path> =>
  Effect.map(nameOf(rows, input), (first) => {
    const rounds = Array.filterMap(summaries, roundOf(first))
    const newest = Array.sortWith(rounds, ({ round }) => round, Order.number).at(-1)
    if (newest !== undefined && (!input.again || isUnfinished(newest))) return newest
    const round = input.again ? (newest?.round ?? 1) + 1 : 1
    return { batch: nameIn(first, round), round, summary: undefined }
  })
