import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Struct from "effect/Struct"
import { Arta } from "effect-arta"
import type { JournalRecords } from "../../shared/journal.js"
import type { Row } from "./promptFile/promptFile.js"

// `--again` generates a file in a new round. The journal keeps all rounds: the keys of the first one are those of the
// rows.
const keyIn = (key: string, round: number): string => (round === 1 ? key : `${key}~${String(round)}`)

/** The newest round of each row in the journal. */
const newestRounds = (records: JournalRecords): ReadonlyMap<string, number> => {
  const newest = new Map<string, number>()
  for (const roundKey of HashMap.keys(records)) {
    const [key = "", round = "1"] = roundKey.split("~")
    newest.set(key, Math.max(newest.get(key) ?? 0, Number(round)))
  }
  return newest
}

/** The rows with their keys in a round. */
export interface Round {
  readonly rows: ReadonlyArray<Row>
  /** Whether an earlier run has started the round. */
  readonly isResumed: boolean
}

const inRound =
  (round: number) =>
  (row: Row): Row => ({ ...row, key: keyIn(row.key, round) })

/** Each row in its newest round. */
export const currentRound = (rows: ReadonlyArray<Row>, records: JournalRecords): Round => {
  const newest = newestRounds(records)
  return { rows: rows.map((row) => inRound(newest.get(row.key) ?? 1)(row)), isResumed: true }
}

/**
 * The round of `--again`: the newest one until each of its rows has ended, so that an interrupted run can be repeated,
 * then a new one. It is never the first, whose rows a batch without `--again` may have generated.
 */
export const nextRound = (rows: ReadonlyArray<Row>, records: JournalRecords): Round => {
  const newest = newestRounds(records)
  const round = rows.reduce((highest, { key }) => Math.max(highest, newest.get(key) ?? 1), 1)
  const hasEnded = ({ key }: Row) =>
    Option.exists(HashMap.get(records, key), ({ last }) => last._tag === "Saved" || last._tag === "Failed")
  const latest = rows.map(inRound(round))
  const isResumed = round > 1 && !latest.every(hasEnded)
  return { rows: isResumed ? latest : rows.map(inRound(round + 1)), isResumed }
}

/** Whether a key is one of a later round. */
export const isRepeated = (key: string): boolean => key.includes("~")

/** A row as a later round sends it: with a new seed, because the same one would generate the same images. */
export const withNewSeed = (row: Row): Effect.Effect<Row> =>
  isRepeated(row.key)
    ? Effect.map(Effect.orDie(Arta.prepare(Struct.omit(row.request, "seed"), { limits: "none" })), (request) => ({
        ...row,
        request
      }))
    : Effect.succeed(row)
