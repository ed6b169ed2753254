import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import type { Failure } from "../../shared/errors.js"
import type { Task } from "./plan.js"

/** A submission that the service did not accept. */
export interface Refusal {
  readonly task: Task
  readonly failure: Failure
}

/** Stops a batch after three identical refusals in a row: their reason is not in the rows. */
export interface Breaker<out E> {
  readonly accepted: Effect.Effect<void, E>
  readonly refused: (refusal: Refusal) => Effect.Effect<void, E>
  /** Passes on the last refusals at the end of the batch. */
  readonly end: Effect.Effect<void, E>
  /** The refusals that stopped the batch. Empty: it goes on. */
  readonly stopped: Effect.Effect<ReadonlyArray<Refusal>>
}

const maxIdentical = 3

/** Whether the service certainly accepted nothing. */
export const isRefusal = (failure: Failure): boolean =>
  (failure._tag === "ResponseError" && failure.operation === "submit") ||
  (failure._tag === "TransportError" && failure.operation === "submit" && !failure.sent)

/** Equal for failures that differ only in an id, a number, or what they repeat of the prompt. */
const reasonOf = ({ failure, task }: Refusal): string => {
  const [status, detail] = failure._tag === "ResponseError" ? [failure.status, failure.detail] : [0, failure.message]
  return `${String(status)} ${detail.replaceAll(task.row.request.prompt, "").replace(/[\da-f-]{8,}|\d+/gi, "#")}`
}

interface State {
  /** The identical refusals since the last acceptance. */
  readonly streak: ReadonlyArray<Refusal>
  readonly isStopped: boolean
}

type Transition = readonly [passedOn: ReadonlyArray<Refusal>, after: State]

const addRefusal = ({ isStopped, streak }: State, refusal: Refusal): Transition => {
  const isSame = streak.every((earlier) => reasonOf(earlier) === reasonOf(refusal))
  if (isSame) return [[], { streak: [...streak, refusal], isStopped: isStopped || streak.length + 1 >= maxIdentical }]
  return isStopped ? [[refusal], { streak, isStopped }] : [streak, { streak: [refusal], isStopped }]
}

const endStreak = (state: State): Transition =>
  state.isStopped ? [[], state] : [state.streak, { streak: [], isStopped: false }]

/**
 * Makes a breaker. It holds a refusal back until the next submission shows whether it is one of a single row, and
 * passes that on. A row whose refusal stops the batch has not failed.
 */
export const makeBreaker = <E>(passOn: (refusal: Refusal) => Effect.Effect<void, E>): Effect.Effect<Breaker<E>> =>
  Effect.map(Ref.make<State>({ streak: [], isStopped: false }), (state) => {
    const move = (transition: (before: State) => Transition) =>
      Effect.flatMap(Ref.modify(state, transition), (refusals) => Effect.forEach(refusals, passOn, { discard: true }))
    return {
      accepted: move(endStreak),
      refused: (refusal) => move((before) => addRefusal(before, refusal)),
      end: move(endStreak),
      stopped: Effect.map(state, ({ isStopped, streak }) => (isStopped ? streak : []))
    }
  })
