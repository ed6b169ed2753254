import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import type * as Scope from "effect/Scope"
import type { Generation } from "effect-arta"
import { printLine } from "./jsonOutput.js"
import { hasLiveLine, liveLine } from "./liveLine.js"

/** Shows the progress of one generation. */
export interface Progress {
  readonly report: (event: Generation.GenerationEvent) => Effect.Effect<void>
  /** Shows the outcome. */
  readonly conclude: (outcome: string) => Effect.Effect<void>
}

const seconds = (millis: number): string => `${String(Math.round(millis / 1000))} s`

const stageOf = { Submitted: "queued", Queued: "queued", InProgress: "generating", Completed: "saving" } as const

interface Stage {
  readonly name: "submitting" | (typeof stageOf)[keyof typeof stageOf]
  readonly since: number
}

/** The stages so far, and the outcome once the generation has ended. */
interface Timeline {
  readonly stages: ReadonlyArray<Stage>
  readonly end?: { readonly outcome: string; readonly at: number }
}

const addStage = (timeline: Timeline, name: Stage["name"], since: number): Timeline =>
  timeline.stages.at(-1)?.name === name ? timeline : { ...timeline, stages: [...timeline.stages, { name, since }] }

const timelineText = ({ end, stages }: Timeline, now: number): string => {
  const past = stages.flatMap(({ name, since }, index) => {
    const next = stages[index + 1]
    const isShort = name === "submitting" || name === "saving"
    return isShort && (next !== undefined || end !== undefined)
      ? []
      : [`${name} ${seconds((next?.since ?? end?.at ?? now) - since)}`]
  })
  return [...past, ...(end === undefined ? [] : [end.outcome])].join(" → ")
}

/** A line that is rewritten until the generation ends: `queued 3 s → generating 7 s → saved`. */
const liveTimeline: Effect.Effect<Progress, never, Scope.Scope> = Effect.gen(function* () {
  const textOf = (timeline: Timeline) => (_width: number, now: number) => timelineText(timeline, now)
  const start: Timeline = { stages: [{ name: "submitting", since: yield* Clock.currentTimeMillis }] }
  const timeline = yield* Ref.make(start)
  const show = yield* liveLine(textOf(start))
  const change = (next: (before: Timeline, now: number) => Timeline) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) =>
      Ref.updateAndGet(timeline, (before) => next(before, now)).pipe(Effect.flatMap((after) => show(textOf(after))))
    )
  return {
    report: ({ _tag }) => change((before, now) => addStage(before, stageOf[_tag], now)),
    conclude: (outcome) => change((before, now) => ({ ...before, end: { outcome, at: now } }))
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

const noProgress: Progress = { report: () => Effect.void, conclude: () => Effect.void }

const jsonLines: Progress = { report: (event) => printLine(event), conclude: () => Effect.void }

/** A live line on a terminal, the events themselves for `--json`, otherwise a line per event. */
export const progress = (options: {
  readonly json: boolean
  readonly quiet: boolean
}): Effect.Effect<Progress, never, Scope.Scope> => {
  if (options.json) return Effect.succeed(jsonLines)
  if (options.quiet) return Effect.succeed(noProgress)
  return Effect.flatMap(hasLiveLine, (isLive) => (isLive ? liveTimeline : Effect.succeed(plainLines)))
}
