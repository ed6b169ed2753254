import * as Option from "effect/Option"

/** The names of the files in a directory, sorted for fast lookups: a directory can contain many thousands. */
export interface FileNames {
  /** The first name that starts with a prefix. */
  readonly startingWith: (prefix: string) => Option.Option<string>
}

/** The position of the first name that does not sort before `prefix`. */
const lowerBound = (sorted: ReadonlyArray<string>, prefix: string, low = 0, high = sorted.length): number => {
  if (low === high) return low
  const middle = (low + high) >>> 1
  return (sorted[middle] ?? "") < prefix
    ? lowerBound(sorted, prefix, middle + 1, high)
    : lowerBound(sorted, prefix, low, middle)
}

export const make = (names: ReadonlyArray<string>): FileNames => {
  const sorted = [...names].sort()
  return {
    startingWith: (prefix) =>
      Option.filter(Option.fromNullable(sorted[lowerBound(sorted, prefix)]), (name) => name.startsWith(prefix))
  }
}
