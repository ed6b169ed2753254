import * as Effect from "effect/Effect"
import { DurableBatch } from "effect-arta/batch"
import { UsageError } from "../errors.js"
import { printable } from "../printable.js"

const listed = (names: ReadonlyArray<string>): string =>
  names.length === 0
    ? "It has none for this service. Enqueue one: effect-arta batch FILE --database URL"
    : `It has ${names.slice(0, 10).map(printable).join(", ")}${names.length > 10 ? ", …" : ""}.`

const notFound = (text: string, names: ReadonlyArray<string>) =>
  new UsageError({ message: `The database has no batch ${printable(JSON.stringify(text))}. ${listed(names)}` })

const ambiguous = (text: string, names: ReadonlyArray<string>) =>
  new UsageError({
    message: `More than one batch starts with ${printable(JSON.stringify(text))}: ${names.map(printable).join(", ")}.`
  })

/** The name of the batch that a user means: a whole name, or the start of only one. */
export const findBatch = (text: string) =>
  Effect.gen(function* () {
    const batches = yield* DurableBatch.DurableBatch
    const names = (yield* batches.batches).map(({ batch }) => batch)
    if (names.includes(text)) return text
    const [first, ...others] = names.filter((name) => name.startsWith(text))
    if (first === undefined) return yield* notFound(text, names)
    return others.length === 0 ? first : yield* ambiguous(text, [first, ...others])
  })
