import { distance } from "fastest-levenshtein"

const bare = (word: string): string => word.replace(/^-+/, "").toLowerCase()

/** One is the start of the other, as `--aspect-ratio` and `--aspect`, and both are more than a letter. */
const abbreviates = (word: string, name: string): boolean =>
  Math.min(word.length, name.length) > 1 && (word.startsWith(name) || name.startsWith(word))

const score = (word: string, name: string): number => (abbreviates(word, name) ? 1 : distance(word, name))

/** The name that was probably meant, if one is close. */
export const nearest = (word: string, names: ReadonlyArray<string>): string | undefined => {
  const typed = bare(word)
  const mostEdits = typed.length > 4 ? 2 : typed.length > 1 ? 1 : 0
  const [best] = names
    .map((name) => ({ name, score: score(typed, bare(name)) }))
    .filter(({ score }) => score <= mostEdits)
    .toSorted((a, b) => a.score - b.score)
  return best?.name
}

/** "Did you mean …?", or what to do if no name is close. */
export const didYouMean = (word: string, names: ReadonlyArray<string>, otherwise: string): string => {
  const name = nearest(word, names)
  return name === undefined ? otherwise : `Did you mean ${name}?`
}
