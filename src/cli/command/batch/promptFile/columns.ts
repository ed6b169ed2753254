import * as Option from "effect/Option"
import { distance } from "fastest-levenshtein"
import { quote } from "shell-quote"
import { printable } from "../../../shared/printable.js"
import type { Problem } from "./problems.js"
import { shown } from "./problems.js"

/** What the columns of a table and the keys of an object can mean. */
const namesOf = {
  prompt: ["prompt", "text", "caption"],
  messages: ["messages"],
  negativePrompt: ["negative prompt", "negative"],
  seed: ["seed"],
  numInferenceSteps: ["steps", "step", "num inference steps"],
  guidanceScale: ["guidance", "cfg", "cfg scale", "guidance scale"],
  aspectRatio: ["aspect", "ratio", "aspect ratio", "size"],
  width: ["width"],
  height: ["height"],
  n: ["n", "images", "count", "num images"],
  model: ["model", "style"]
} as const

/** An option of the library, or a part of its aspect ratio. */
export type Field = keyof typeof namesOf

/** Names match without case, spaces, `_` and `-`. */
const normalize = (name: string): string => name.toLowerCase().replace(/[\s_-]/g, "")

const isField = (name: string): name is Field => name in namesOf

const fields: ReadonlyArray<Field> = Object.keys(namesOf).filter(isField)

const fieldByName: ReadonlyMap<string, Field> = new Map(
  fields.flatMap((field) => namesOf[field].map((name) => [normalize(name), field] as const))
)

export const fieldOf = (name: string): Option.Option<Field> => Option.fromNullable(fieldByName.get(normalize(name)))

/** Whether the prompt of a row can have this name. */
export const isPrompt = (name: string): boolean =>
  Option.exists(fieldOf(name), (field) => field === "prompt" || field === "messages")

/** Whether `--ignore-columns` leaves out a column. The name of a column may contain commas. */
export const isIgnored = (ignoreColumns: Option.Option<string>): ((name: string) => boolean) => {
  const ignored = new Set(
    Option.toArray(ignoreColumns)
      .flatMap((names) => [names, ...names.split(",")])
      .map(normalize)
  )
  return (name) => ignored.has(normalize(name))
}

/** The known name that is a typing error away. */
const nearest = (name: string): Option.Option<string> => {
  const wanted = normalize(name)
  const [first] = fields
    .flatMap((field) => namesOf[field].map((known) => ({ known, errors: distance(wanted, normalize(known)) })))
    .filter(({ errors }) => errors <= 0.4 * wanted.length)
    .toSorted((one, other) => one.errors - other.errors)
  return Option.map(Option.fromNullable(first), ({ known }) => known)
}

// `quote` escapes commas, which need no escape.
const ignoreFlag = (names: ReadonlyArray<string>): string =>
  `--ignore-columns ${names.map((name) => quote([name])).join(",")}`

const knownNames = "prompt, negative, seed, steps, guidance, aspect, width, height, n and model"

/** One problem for all unknown names of a file. */
export const unknownNames = (names: ReadonlyArray<string>, word: "column" | "key"): Problem => {
  const list = names.map((name) =>
    Option.match(nearest(name), { onNone: () => shown(name), onSome: (known) => `${shown(name)} (${known}?)` })
  )
  return {
    message: `Unknown ${word}${names.length === 1 ? "" : "s"}: ${list.join(", ")}.`,
    // A terminal must not get control characters, not even quoted.
    advice: names.every((name) => printable(name) === name)
      ? `Known names are ${knownNames}. To leave out the unknown ones: ${ignoreFlag(names)}`
      : `Known names are ${knownNames}. Remove the others.`
  }
}

/** Whether the first line of a table names no column, but is a row itself, as far as the names tell. */
export const isNoHeader = (names: ReadonlyArray<string>): boolean =>
  names.every((name) => Option.isNone(fieldOf(name)) && Option.isNone(nearest(name)))

/** A problem for each meaning that several columns share. */
export const duplicateNames = (names: ReadonlyArray<string>): ReadonlyArray<Problem> =>
  fields.flatMap((field) => {
    const same = names.filter((name) => Option.contains(fieldOf(name), field))
    if (same.length < 2) return []
    const last = same.slice(1)
    return [
      {
        message: `The columns ${same.map(shown).join(" and ")} have the same meaning.`,
        advice:
          new Set(same.map(normalize)).size < 2
            ? "Remove one of them."
            : `Leave out one of them, for example: ${ignoreFlag(last)}`
      }
    ]
  })
