import { expect } from "@effect/vitest"
import { Effect } from "effect"
import type { Moment } from "../support/countingUpstream.js"
import type { SelfSignal } from "../support/durableBatch.js"
import { onEachDatabase, setUpBatch, timeout } from "../support/durableBatch.js"

const rows = 10
const submissionsAtOnce = 4
/** How many rows reach the moment of the kill before. */
const after = 2

/** A moment of a row at which its runner is killed: the runner kills itself, or the upstream holds the request. */
interface Kill {
  readonly title: string
  readonly when: { readonly itself: SelfSignal["at"] } | { readonly held: Moment }
  /** Whether nobody can know what became of the submission. */
  readonly isUnknown: boolean
}

const kills: ReadonlyArray<Kill> = [
  { title: "after it has claimed a row", when: { itself: "claimed" }, isUnknown: false },
  { title: "after it has written an intent", when: { itself: "intended" }, isUnknown: true },
  { title: "after it has sent a submission", when: { held: "arrived" }, isUnknown: true },
  { title: "after its submission was accepted", when: { held: "accepted" }, isUnknown: true },
  { title: "after it has recorded a submission", when: { itself: "recorded" }, isUnknown: false },
  { title: "while it downloads an image", when: { held: "image" }, isUnknown: false },
  { title: "after it has saved the images", when: { itself: "saved" }, isUnknown: false }
]

type Setting = Effect.Effect.Success<ReturnType<typeof setUpBatch>>

const startAndKill = ({ startRunner, upstream }: Setting, { when }: Kill) =>
  Effect.gen(function* () {
    if ("itself" in when) {
      const runner = yield* startRunner({ submissionsAtOnce, signal: { signal: "SIGKILL", at: when.itself, after } })
      return yield* Effect.as(runner.ended, runner)
    }
    const held = yield* upstream.hold(when.held, after + 1)
    const runner = yield* startRunner({ submissionsAtOnce })
    yield* held.reached
    yield* runner.signal("SIGKILL")
    yield* Effect.zipRight(runner.ended, held.release)
    return runner
  })

onEachDatabase("A runner that is killed", (it) => {
  for (const kill of kills) {
    // fault: Batch runners | A runner is killed at any step of a row | Another runner goes on with the row. A row whose submission was under way is unknown
    it.scoped(
      `${kill.title} leaves its rows to another one`,
      () =>
        Effect.gen(function* () {
          const setting = yield* setUpBatch()
          const batch = yield* setting.enqueue(rows)
          const killed = yield* startAndKill(setting, kill)
          const other = yield* setting.startRunner({ submissionsAtOnce })
          yield* other.wrote(/running/)
          yield* setting.silence(killed)
          const unknown = yield* setting.finish(batch)
          expect(unknown).toBeLessThanOrEqual(submissionsAtOnce)
          if (kill.isUnknown) expect(unknown).toBeGreaterThan(0)
        }),
      timeout
    )
  }
})
