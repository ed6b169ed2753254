import type { Options, SingleBar } from "cli-progress"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Generation } from "effect-arta"
import { printLine } from "./jsonOutput.js"

/** Shows how one generation comes along. */
export interface Progress {
  readonly report: (event: Generation.GenerationEvent) => Effect.Effect<void>
  /** The last word: what became of it. */
  readonly conclude: (outcome: string) => Effect.Effect<void>
}

/** A bar on standard error that refreshes ten times a second until the scope closes. Shows nothing without a terminal. */
export const bar = (options: Options): Effect.Effect<SingleBar, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.map(
      Effect.promise(() => import("cli-progress")),
      // The scope closes on a signal as well.
      (module) => new module.default.SingleBar({ gracefulExit: false, hideCursor: true, ...options })
    ),
    (shown) =>
      Effect.sync(() => {
        shown.stop()
      })
  )

const seconds = (millis: number): string => `${String(Math.round(millis / 1000))} s`

const stageOf = { Submitted: "queued", Queued: "queued", InProgress: "generating", Completed: "saving" } as const

interface Stage {
  readonly name: "submitting" | (typeof stageOf)[keyof typeof stageOf]
  readonly since: number
}

const stageLine = (stages: ReadonlyArray<Stage>, outcome: string | undefined, now: number): string => {
  const past = stages.flatMap(({ name, since }, index) => {
    const next = stages[index + 1]
    const isShort = name === "submitting" || name === "saving"
    return isShort && (next !== undefined || outcome !== undefined)
      ? []
      : [`${name} ${seconds((next?.since ?? now) - since)}`]
  })
  return [...past, ...(outcome === undefined ? [] : [outcome])].join(" → ")
}

/** A line that is rewritten until the generation ends: `queued 3 s → generating 7 s → saved`. */
const liveLine: Effect.Effect<Progress, never, Scope.Scope> = Effect.gen(function* () {
  const stages: Array<Stage> = [{ name: "submitting", since: Date.now() }]
  let end: { readonly outcome: string; readonly at: number } | undefined
  const line = yield* bar({ format: () => stageLine(stages, end?.outcome, end?.at ?? Date.now()) })
  line.start(1, 0)
  return {
    report: ({ _tag }) =>
      Effect.sync(() => {
        const name = stageOf[_tag]
        if (stages.at(-1)?.name !== name) stages.push({ name, since: Date.now() })
      }),
    conclude: (outcome) =>
      Effect.sync(() => {
        end = { outcome, at: Date.now() }
      })
  }
})

const eventText = (event: Generation.GenerationEvent): string => {
  switch (event._tag) {
    case "Submitted":
      return `submitted ${event.recordId} to ${event.request.model}, seed ${String(event.request.seed)}`
    case "Queued":
      return "queued"
    case "InProgress":
      return `generating after ${seconds(Duration.toMillis(event.elapsed))}`
    case "Completed":
      return `generated after ${seconds(Duration.toMillis(event.elapsed))}`
  }
}

const plainLines: Progress = { report: (event) => Console.error(eventText(event)), conclude: () => Effect.void }

const jsonLines: Progress = { report: (event) => printLine(event), conclude: () => Effect.void }

/** For a terminal a live line, for anything else a line per change, and for `--json` only the events themselves. */
export const progress = (options: { readonly json: boolean }): Effect.Effect<Progress, never, Scope.Scope> => {
  if (options.json) return Effect.succeed(jsonLines)
  return Effect.suspend(() => (process.stderr.isTTY ? liveLine : Effect.succeed(plainLines)))
}
