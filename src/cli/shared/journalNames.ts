import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import { ImageFile } from "effect-arta"
import type { FileNames } from "./fileNames.js"
import type { Entry } from "./journalEntry.js"

/** Which names of images are taken. */
export interface Names {
  /** The key that owns each name. If two take a name at once, the first one in the file owns it. */
  readonly owners: HashMap.HashMap<string, string>
  /** The number to try next, for a name that several requests share. */
  readonly numbers: HashMap.HashMap<string, number>
}

export const empty: Names = { owners: HashMap.empty(), numbers: HashMap.empty() }

/** Adds many entries at once, without a copy of the map for each. */
export const addEntries = (names: Names, entries: ReadonlyArray<Entry>): Names => ({
  ...names,
  owners: HashMap.mutate(names.owners, (draft) => {
    for (const entry of entries) {
      if (entry._tag === "Submitting" && !HashMap.has(draft, entry.name)) HashMap.set(draft, entry.name, entry.key)
    }
  })
})

export const isOwner = ({ owners }: Names, key: string, name: string): boolean =>
  Option.contains(HashMap.get(owners, name), key)

const isNumbered = (base: string, name: string): boolean =>
  name.startsWith(base) && /^(-\d+)?$/.test(name.slice(base.length))

/** How the names of the files start. A template has its index anywhere: look for the first image. */
const prefixOf = (name: string): string => (name.includes("{index}") ? `${ImageFile.stemOf(name, 0)}.` : `${name}-`)

interface Reservation {
  readonly key: string
  /** The name, unless it is taken. */
  readonly base: string
  /** The name of the last submission for the key. */
  readonly earlier: Option.Option<string>
  readonly files: FileNames
}

/** Chooses a name that neither belongs to another key, nor to files that the journal does not know. */
export const reserve = (
  names: Names,
  { base, earlier, files, key }: Reservation
): readonly [name: string, names: Names] => {
  if (Option.isSome(earlier) && isNumbered(base, earlier.value) && isOwner(names, key, earlier.value)) {
    return [earlier.value, names]
  }
  const isFree = (name: string) =>
    Option.match(HashMap.get(names.owners, name), {
      onNone: () => Option.isNone(files.startingWith(prefixOf(name))),
      onSome: (owner) => owner === key
    })
  const tried = Option.getOrElse(HashMap.get(names.numbers, base), () => 1)
  for (let number = tried; ; number += 1) {
    const name = number === 1 ? base : `${base}-${String(number)}`
    if (isFree(name)) return [name, { ...names, numbers: HashMap.set(names.numbers, base, number) }]
  }
}
