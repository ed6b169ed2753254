import * as Array from "effect/Array"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Order from "effect/Order"
import type { JournalRecords } from "../../shared/journal.js"
import type { Row } from "./promptFile/promptFile.js"
import { isRepeated } from "./rounds.js"

/** What the keys of equal rows have in common. */
const requestOf = (key: string): string => key.slice(0, key.lastIndexOf("-"))

const countOf = (key: string): number => Number(key.slice(key.lastIndexOf("-") + 1))

/**
 * The rows, some with the keys of equal ones. A file with fewer equal rows than the journal, such as one of
 * `--failures`, stands for those of them that have no images.
 */
export const preferUnfinished = (rows: ReadonlyArray<Row>, records: JournalRecords): ReadonlyArray<Row> => {
  const isSaved = (key: string) => Option.exists(HashMap.get(records, key), ({ last }) => last._tag === "Saved")
  const byKey = Order.combine(Order.mapInput(Order.boolean, isSaved), Order.mapInput(Order.number, countOf))
  const known = Array.groupBy(
    HashMap.toEntries(records).flatMap(([key]) => (isRepeated(key) ? [] : [key])),
    requestOf
  )
  const inFile = Array.groupBy(rows, ({ key }) => requestOf(key))
  return rows.map((row) => {
    const request = requestOf(row.key)
    const keys = known[request] ?? []
    const equal = inFile[request] ?? []
    if (keys.length <= equal.length) return row
    return { ...row, key: Array.sort(keys, byKey)[countOf(row.key) - 1] ?? row.key }
  })
}
