import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import type { GenerateRequest, Generation } from "effect-arta"
import type { Entry } from "./journalEntry.js"

/** The state of a generation after its last entry. */
export interface JournalRecord {
  readonly key: string
  /** The position among all records, by first submission. */
  readonly position: number
  readonly request: GenerateRequest.GenerateRequest
  /** The prefix of its file names. */
  readonly name: string
  readonly recordId?: Generation.RecordId
  readonly last: Entry
}

export type JournalRecords = HashMap.HashMap<string, JournalRecord>

const addEntry = (records: JournalRecords, entry: Entry): JournalRecords => {
  const { key } = entry
  const before = HashMap.get(records, key)
  if (entry._tag === "Submitting") {
    const position = Option.match(before, {
      onNone: () => HashMap.size(records),
      onSome: (record) => record.position
    })
    return HashMap.set(records, key, { key, position, request: entry.request, name: entry.name, last: entry })
  }
  return Option.match(before, {
    onNone: () => records,
    onSome: (record) =>
      HashMap.set(records, key, {
        ...record,
        ...(entry._tag === "Submitted" ? { recordId: entry.recordId } : {}),
        last: entry
      })
  })
}

/** Adds many entries at once, without a copy of the map for each. */
export const addEntries = (records: JournalRecords, entries: ReadonlyArray<Entry>): JournalRecords =>
  HashMap.mutate(records, (draft) => {
    for (const entry of entries) addEntry(draft, entry)
  })

export const fromEntries = (entries: ReadonlyArray<Entry>): JournalRecords => addEntries(HashMap.empty(), entries)

/** The entries of a record that are missing from a copy of the journal. */
export const missingEntries = (
  { key, last, name, recordId, request }: JournalRecord,
  copy: JournalRecords
): ReadonlyArray<Entry> => {
  const known = Option.getOrUndefined(HashMap.get(copy, key))
  if (known !== undefined && known.recordId === recordId && known.last._tag === last._tag) return []
  return [
    { _tag: "Submitting", key, request, name },
    ...(recordId === undefined ? [] : [{ _tag: "Submitted", key, recordId } as const]),
    ...(last._tag === "Submitting" || last._tag === "Submitted" ? [] : [last])
  ]
}
