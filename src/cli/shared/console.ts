import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { stripVTControlCharacters } from "node:util"
import { hasColors } from "./hasColors.js"

const stripped = (values: ReadonlyArray<unknown>): ReadonlyArray<unknown> =>
  values.map((value) => (typeof value === "string" ? stripVTControlCharacters(value) : value))

const stripUnless = <A>(colors: boolean, print: (...values: ReadonlyArray<unknown>) => A) =>
  colors ? print : (...values: ReadonlyArray<unknown>) => print(...stripped(values))

/** A console that prints colors on terminals only: the help texts always contain them. */
export const layer: Layer.Layer<never> = Console.consoleWith((console) =>
  Effect.sync(() =>
    Console.setConsole({
      ...console,
      log: stripUnless(hasColors(process.stdout), (...values) => console.log(...values)),
      error: stripUnless(hasColors(process.stderr), (...values) => console.error(...values))
    })
  )
).pipe(Layer.unwrapEffect)
