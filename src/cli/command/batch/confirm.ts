import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { createInterface } from "node:readline/promises"
import type { ConfirmationOptions } from "../../shared/promptFileOptions.js"
import type { Task } from "./plan.js"

const maxUnconfirmed = 100

export const countOf = (count: number, noun: string): string => `${String(count)} ${noun}${count === 1 ? "" : "s"}`

/** The number of images that tasks submit. */
export const countNewImages = (tasks: ReadonlyArray<Task>): number =>
  tasks.reduce((sum, task) => (task._tag === "Submit" ? sum + task.row.request.n : sum), 0)

/** Asks on standard error: standard output has results only. */
export const ask = (question: string): Effect.Effect<boolean> =>
  Effect.acquireUseRelease(
    Effect.sync(() => createInterface({ input: process.stdin, output: process.stderr })),
    (terminal) => Effect.promise((signal) => terminal.question(question, { signal })),
    (terminal) =>
      Effect.sync(() => {
        terminal.close()
      })
  ).pipe(Effect.map((typed) => /^y(es)?$/i.test(typed.trim())))

/** Asks before a batch of more than 100 new images. Without a terminal to ask on, prints their number. */
export const confirm = (tasks: ReadonlyArray<Task>, { yes }: ConfirmationOptions): Effect.Effect<void> =>
  Effect.gen(function* () {
    const images = countNewImages(tasks)
    if (images <= maxUnconfirmed) return
    const batch = `${countOf(images, "image")} in ${countOf(tasks.filter(({ _tag }) => _tag === "Submit").length, "generation")}`
    if (yes || !process.stdin.isTTY || !process.stderr.isTTY)
      return yield* Console.error(`This batch generates ${batch}.`)
    if (yield* ask(`This batch generates ${batch}. Continue? [y/N] `)) return
    yield* Console.error("Nothing was sent.")
    yield* Effect.interrupt
  })
