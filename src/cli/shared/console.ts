import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { WriteStream } from "node:tty"
import { stripVTControlCharacters } from "node:util"

// `hasColors` respects NO_COLOR and the abilities of the terminal.
const hasColors = (stream: WriteStream): boolean => stream.isTTY && stream.hasColors()

const stripped = (values: ReadonlyArray<unknown>): ReadonlyArray<unknown> =>
  values.map((value) => (typeof value === "string" ? stripVTControlCharacters(value) : value))

const stripUnless = <A>(colors: boolean, print: (...values: ReadonlyArray<unknown>) => A) =>
  colors ? print : (...values: ReadonlyArray<unknown>) => print(...stripped(values))

/** A console that prints colors on terminals only: the help texts of `@effect/cli` always contain them. */
export const layer: Layer.Layer<never> = Console.consoleWith((console) =>
  Effect.sync(() =>
    Console.setConsole({
      ...console,
      log: stripUnless(hasColors(process.stdout), (...values) => console.log(...values)),
      error: stripUnless(hasColors(process.stderr), (...values) => console.error(...values))
    })
  )
).pipe(Layer.unwrapEffect)
