import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import * as Struct from "effect/Struct"
import { GenerateRequest } from "effect-arta"
import type { BatchRow } from "effect-arta/batch"
import { createHash } from "node:crypto"
import type { Namer } from "../../../shared/nameTemplate.js"
import type { Row } from "../promptFile/promptFile.js"

const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex")

/** Where the rows of a batch come from, and where its images go. */
export interface BatchSource {
  readonly file: string
  readonly output: string
}

/**
 * The name of the batch of a file: the same rows and the same directory are the same batch, so that the command can be
 * repeated.
 */
export const nameOf = (
  rows: ReadonlyArray<Row>,
  { file, output }: BatchSource
): Effect.Effect<string, never, Path.Path> =>
  Effect.map(Path.Path, (path) => {
    // PostgreSQL does not store half a character.
    const characters = Array.from(path.parse(file).name.replace(/[^\p{L}\p{N}._-]+/gu, "-"))
    const stem = file === "-" ? "standard-input" : characters.slice(0, 60).join("")
    const hash = hashOf([path.normalize(output), ...rows.map(({ key }) => key)].join("\n")).slice(0, 8)
    return `${stem}-${hash}`
  })

/** A seed that stays the same if the rows are enqueued again, and differs between the rows and the rounds. */
const seedOf = (batch: string, index: number): number =>
  Number.parseInt(hashOf(`${batch}/${String(index)}`).slice(0, 12), 16) % 100_000_000

/** The request as this batch sends it. A later round must not generate the same images. */
const withSeed = ({ options, request }: Row, batch: string, index: number, round: number) =>
  "seed" in options && round === 1
    ? request
    : new GenerateRequest.GenerateRequest({ ...Struct.omit(request, "seed"), seed: seedOf(batch, index) })

/** Makes the names of a batch unique, as equal rows have the same one. */
const numbered = (names: ReadonlyArray<string>): ReadonlyArray<string> => {
  const taken = new Set<string>()
  const counts = new Map<string, number>()
  return names.map((name) => {
    for (let count = (counts.get(name) ?? 0) + 1; ; count += 1) {
      const unique = count === 1 ? name : `${name}-${String(count)}`
      if (taken.has(unique)) continue
      taken.add(unique)
      counts.set(name, count)
      return unique
    }
  })
}

/** The rows to enqueue, with the names that a batch without a database gives their files. */
export const toBatchRows = (
  rows: ReadonlyArray<Row>,
  batch: string,
  round: number,
  namer: Namer
): ReadonlyArray<BatchRow.Row> => {
  const requests = rows.map((row, index) => withSeed(row, batch, index, round))
  const names = numbered(requests.map((request, index) => namer(request, rows[index]?.number)))
  return requests.map((request, index) => ({ options: request, name: names[index] }))
}
