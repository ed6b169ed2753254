import * as Array from "effect/Array"
import * as Option from "effect/Option"
import { shown } from "./problems.js"
import type { Cell } from "./source.js"

/** The flags of the web UI's "Prompts from file" and of Midjourney, and the columns that they stand for. */
const columnOf: ReadonlyMap<string, string> = new Map([
  ["prompt", "prompt"],
  ["negative_prompt", "negative"],
  ["steps", "steps"],
  ["cfg_scale", "guidance"],
  ["seed", "seed"],
  ["width", "width"],
  ["height", "height"],
  ["n_iter", "n"],
  ["ar", "aspect"],
  ["aspect", "aspect"],
  ["no", "negative"]
])

export const knownFlags = [...columnOf.keys()].map((name) => `--${name}`).join(", ")

// Word processors turn two hyphens into a dash.
const start = /(?:^|\s)(?:--|[–—])(?=[a-z])/iu

const nameAtStart = /^(?:--|[–—])([a-z][\w-]*)(?:\s*=)?\s*/iu

// A quoted value may contain flags.
const quotedAtStart = /^(?:"((?:[^"\\]|\\.)*)"|'([^']*)')(?=\s|$)/u

export const hasFlags = (line: string): boolean => start.test(line)

const indexOfFlag = (text: string): number => {
  const found = start.exec(text)
  return found === null ? text.length : found.index
}

interface Flag {
  /** None: text that belongs to no flag. */
  readonly name: Option.Option<string>
  readonly value: string
  readonly isQuoted: boolean
}

/** Takes one flag from the start of a text. Returns the rest of the text too. */
const takeFlag = (text: string): Option.Option<readonly [Flag, string]> => {
  if (text === "") return Option.none()
  const [opening = "", name] = nameAtStart.exec(text) ?? []
  const rest = text.slice(opening.length)
  const [quoted, double, single] = (name === undefined ? null : quotedAtStart.exec(rest)) ?? []
  const end = quoted?.length ?? indexOfFlag(rest)
  const value = double?.replace(/\\(["\\])/g, "$1") ?? single ?? rest.slice(0, end).trim()
  const flag = { name: Option.fromNullable(name?.toLowerCase()), value, isQuoted: quoted !== undefined }
  return Option.some([flag, rest.slice(end).trim()])
}

export interface FlaggedLine {
  readonly cells: ReadonlyArray<Cell>
  /** Why the line is not understood. */
  readonly messages: ReadonlyArray<string>
}

const unknownFlags = (names: ReadonlyArray<string>): ReadonlyArray<string> =>
  names.length === 0
    ? []
    : [`Unknown flag${names.length === 1 ? "" : "s"}: ${names.map((name) => shown(`--${name}`)).join(", ")}.`]

/** Reads the flags of a line. Text before the first one is the prompt. */
export const readFlags = (line: string): FlaggedLine => {
  const head = line.slice(0, indexOfFlag(line)).trim()
  const flags = Array.unfold(line.slice(indexOfFlag(line)).trim(), takeFlag)
  const named = flags.flatMap(({ name, ...flag }) => (Option.isSome(name) ? [{ ...flag, name: name.value }] : []))
  const known = named.filter(({ name }) => columnOf.has(name))
  const loose = flags.filter(({ name }) => Option.isNone(name))
  const cells = named.flatMap(({ name, value }) => {
    const column = columnOf.get(name)
    return column === undefined ? [] : [{ name: column, label: `--${name}`, value }]
  })
  return {
    cells: head === "" ? cells : [{ name: "prompt", label: "the text before the flags", value: head }, ...cells],
    messages: [
      ...unknownFlags(named.map(({ name }) => name).filter((name) => !columnOf.has(name))),
      ...known.filter(({ isQuoted, value }) => value === "" && !isQuoted).map(({ name }) => `--${name} has no value.`),
      ...loose.map(({ value }) => `${shown(value)} follows a quoted value. Quote all of the value.`)
    ]
  }
}
