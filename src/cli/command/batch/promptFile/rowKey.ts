import * as Array from "effect/Array"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import { createHash } from "node:crypto"

const hashOf = (options: Readonly<Record<string, unknown>>): string => {
  const canonical = JSON.stringify(Object.entries(options).toSorted(([one], [other]) => (one < other ? -1 : 1)))
  return createHash("sha256").update(canonical).digest("hex").slice(0, 16)
}

/**
 * A key for the options of each row, wherever the row is in the file. Equal rows differ by a count. Journals have these
 * keys: if they change, finished rows are generated and paid for again.
 */
export const keysOf = (all: ReadonlyArray<Readonly<Record<string, unknown>>>): ReadonlyArray<string> => {
  const [, keys] = Array.mapAccum(all.map(hashOf), HashMap.empty<string, number>(), (counts, hash) => {
    const count = Option.getOrElse(HashMap.get(counts, hash), () => 0) + 1
    return [HashMap.set(counts, hash, count), `${hash}-${String(count)}`]
  })
  return keys
}
