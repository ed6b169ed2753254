import type { MultiBar } from "cli-progress"
import * as Clock from "effect/Clock"
import type * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { fstatSync } from "node:fs"
import { clearLine, cursorTo } from "node:readline"

/** Whether standard error can show a line that is rewritten. A dumb terminal cannot move the cursor. */
export const hasLiveLine: Effect.Effect<boolean> = Effect.sync(
  () => process.stderr.isTTY && process.env["TERM"] !== "dumb"
)

/** The text of the line for a width in columns and a time in milliseconds. */
export type LineText = (width: number, now: number) => string

// The reader of a pipe often prints to the same terminal, as `head` does. A file does not.
const mayPrintOnTerminal = (): boolean => process.stdout.isTTY || fstatSync(process.stdout.fd).isFIFO()

/**
 * A console that clears the line before it prints. The line is drawn again on its next tick, a tenth of a second later:
 * by then, the reader of a pipe has printed what it read.
 */
const consoleAbove = (console: Console.Console, lines: MultiBar): Console.Console => {
  const clear = () => {
    if (!lines.isActive) return
    lines.update()
    cursorTo(process.stderr, 0)
    clearLine(process.stderr, 0)
  }
  const clearForOutput = mayPrintOnTerminal() ? clear : () => undefined
  return {
    ...console,
    log: (...values: ReadonlyArray<unknown>) => Effect.zipRight(Effect.sync(clearForOutput), console.log(...values)),
    error: (...values: ReadonlyArray<unknown>) => Effect.zipRight(Effect.sync(clear), console.error(...values)),
    // The logger prints with this one.
    unsafe: {
      ...console.unsafe,
      error: (...values: ReadonlyArray<unknown>) => {
        clear()
        console.unsafe.error(...values)
      }
    }
  }
}

/**
 * Shows a line at the bottom of the terminal until the scope closes, and returns an effect that changes its text. What
 * the console prints meanwhile appears above the line.
 */
export const liveLine = (
  initial: LineText
): Effect.Effect<(text: LineText) => Effect.Effect<void>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const clock = yield* Clock.clockWith(Effect.succeed)
    const { default: module } = yield* Effect.promise(() => import("cli-progress"))
    const lines = yield* Effect.acquireRelease(
      Effect.sync(
        () =>
          // A single bar of cli-progress 3.12 moves the cursor back to where it started, over the lines printed since.
          new module.MultiBar({
            format: (_options, { maxWidth }, { text }: { readonly text: LineText }) =>
              text(maxWidth, clock.unsafeCurrentTimeMillis()),
            hideCursor: true,
            linewrap: true,
            forceRedraw: true,
            // The scope closes on a signal too, so the line needs no handler of its own.
            gracefulExit: false
          })
      ),
      (shown) =>
        Effect.sync(() => {
          shown.stop()
        })
    )
    const line = yield* Effect.sync(() => lines.create(1, 0, { text: initial }))
    const console = yield* Effect.console
    yield* Effect.withConsoleScoped(consoleAbove(console, lines))
    return (text) =>
      Effect.sync(() => {
        line.update({ text })
      })
  })
