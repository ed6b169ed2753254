import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Duration from "effect/Duration"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type { BatchStatus } from "effect-arta/batch"
import { DurableBatch } from "effect-arta/batch"
import { hasLiveLine, liveLine } from "../../../shared/liveLine.js"
import { barOf } from "../batchProgress.js"
import { countOf } from "../confirm.js"
import { timeText } from "../timeLeft.js"

/** `████░░░░ 3/12, 1 failed, 4 in flight, 2 runners, 20 s left`. A narrow terminal shows less. */
const lineText =
  (status: BatchStatus.BatchStatus) =>
  (width: number): string => {
    const { open, rows, runners, total } = status
    const ended = total - open
    const done = `${String(ended)}/${String(total)}`
    const failures = `, ${String(rows.failed)} failed${rows.unknown === 0 ? "" : `, ${String(rows.unknown)} unknown`}`
    const running = `, ${String(rows.running)} in flight, ${countOf(runners.length, "runner")}`
    const left = Option.match(status.timeLeft, {
      onNone: () => "",
      onSome: (left) => `, ${timeText(Duration.toMillis(left))} left`
    })
    const texts = [done + failures + running + left, done + failures + left, done + left]
    const text = texts.find(({ length }) => length < width) ?? done
    const room = Math.min(30, width - 66)
    return room < 5 || total === 0 ? text : barOf(ended, total, room) + text
  }

const pause = "1 second"

/** Shows the rows of all runners on one line while the batch runs, and returns whether a terminal can show it. */
export const showProgress = (
  batch: string,
  { json, quiet }: { readonly json: boolean; readonly quiet: boolean }
): Effect.Effect<boolean, never, DurableBatch.DurableBatch | Scope.Scope> =>
  Effect.gen(function* () {
    if (json || quiet || !(yield* hasLiveLine)) return false
    const status = DurableBatch.status(batch)
    const show = yield* liveLine(() => "")
    yield* Effect.flatMap(status, (status) => show(lineText(status))).pipe(
      // The run reports what is wrong with the database.
      Effect.ignore,
      Effect.repeat(Schedule.spaced(pause)),
      Effect.forkScoped
    )
    // The last state, when the line stays.
    yield* Effect.addFinalizer(() => Effect.ignore(Effect.flatMap(status, (status) => show(lineText(status)))))
    return true
  })
