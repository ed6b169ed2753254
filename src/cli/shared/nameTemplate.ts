import * as Array from "effect/Array"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { GenerateRequest, ImageFile } from "effect-arta"
import { UsageError } from "./errors.js"
import { printable } from "./printable.js"

/** Chooses how the file names of a request start. `row` is its number in a prompt file. */
export type Namer = (request: GenerateRequest.GenerateRequest, row?: number) => string

// Leaves room for a number after a name that is taken: names have at most 130 bytes.
const maxBytes = 118
// Leaves room for the prompt.
const maxFixedBytes = 90

const bytesOf = (text: string): number => new TextEncoder().encode(text).length

const startOf = (text: string, bytes: number): string =>
  text.slice(0, new TextEncoder().encodeInto(text, new Uint8Array(bytes)).read)

/** A text as the default names contain it, without the seed after it. */
const slug = (prompt: string): string =>
  ImageFile.nameOf(new GenerateRequest.GenerateRequest({ prompt, seed: 0 })).replace(/-?0$/, "")

type Values = Readonly<Record<string, string>>

// `ImageFile.save` puts the index in the place of its placeholder.
const index = { index: "{index}" }

const render = (template: string, values: Values): string =>
  template.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? "")

/** The longest value of each placeholder but the prompt. */
const longest: Values = {
  ...index,
  prompt: "",
  seed: "99999999",
  row: "1000000",
  model: "m".repeat(24),
  date: "2000-01-01"
}

const refuse = (problem: string) => new UsageError({ message: `--name ${problem}` })

const problemOf = (template: string, names: ReadonlyArray<string>): Option.Option<string> => {
  const allowed = names.map((name) => `{${name}}`).join(" ")
  const unknown = [...template.matchAll(/\{[^{}]*\}|[{}]/g)].find(([found]) => !names.includes(found.slice(1, -1)))
  const unsafe = /[<>:"/\\|?*\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.exec(template.replace(/\{\w+\}/g, ""))
  if (unknown !== undefined) return Option.some(`contains ${printable(unknown[0])}. It may contain: ${allowed}.`)
  if (unsafe !== null)
    return Option.some(`must not contain ${printable(unsafe[0])}: it names files. To choose their directory, add -o.`)
  if (/^\s*$|^[.\s]/.test(template)) return Option.some("must not be empty or start with a dot or a space.")
  return bytesOf(render(template, longest)) > maxFixedBytes
    ? Option.some("makes names that are too long. Shorten it.")
    : Option.none()
}

const makeNamer =
  (template: string, date: string): Namer =>
  (request, row) => {
    const values = { ...index, seed: String(request.seed), row: String(row ?? ""), model: slug(request.model), date }
    const room = maxBytes - bytesOf(render(template, values))
    const prompts = template.split("{prompt}").length - 1
    return render(template, {
      ...values,
      prompt: startOf(slug(request.prompt), Math.floor(room / Math.max(1, prompts)))
    })
  }

/** Reads `--name`. Without it, the names are those of the library. `more` are the placeholders of this command. */
export const namerOf = (
  template: Option.Option<string>,
  more: ReadonlyArray<string> = []
): Effect.Effect<Namer, UsageError> =>
  Option.match(template, {
    onNone: () => Effect.succeed(ImageFile.nameOf),
    onSome: (template) =>
      Effect.gen(function* () {
        const problem = problemOf(template, Array.appendAll(["prompt", "seed", "index", "model", "date"], more))
        if (Option.isSome(problem)) return yield* refuse(problem.value)
        const now = DateTime.setZone(yield* DateTime.now, DateTime.zoneMakeLocal())
        return makeNamer(template, DateTime.formatIsoDate(now))
      })
  })
