import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type { Fault, Operation } from "../Fault.js"

export interface Account {
  readonly localId: string
  readonly apiKey: string
}

/** The fields of a submission that the emulator uses, as they are named on the wire. */
interface SubmittedForm {
  readonly prompt: string
  readonly style: string
  readonly images_num: number
  readonly aspect_ratio: string
  readonly seed: number
}

export interface Job {
  readonly form: SubmittedForm
  readonly submittedAt: number
  readonly failure: Extract<Fault, { readonly _tag: "FailGeneration" }> | undefined
}

/** The state of the emulated services. */
export interface State {
  readonly accounts: Map<string, Account>
  readonly expiryByIdToken: Map<string, number>
  readonly jobs: Map<string, Job>
  readonly requests: Array<{ readonly operation: Operation; readonly at: number }>
  readonly faults: Array<Fault>
}

export const make = (faults: ReadonlyArray<Fault>): State => ({
  accounts: new Map(),
  expiryByIdToken: new Map(),
  jobs: new Map(),
  requests: [],
  faults: [...faults]
})

export const takeFault = (state: State, operation: Fault["on"]): Fault | undefined => {
  const index = state.faults.findIndex(({ on }) => on === operation)
  return index === -1 ? undefined : state.faults.splice(index, 1)[0]
}

/** A unique id. It also differs from the ids of emulators that ran earlier. */
export const freshId = (prefix: string): Effect.Effect<string> =>
  Effect.map(
    Effect.replicateEffect(Random.nextIntBetween(0, 0x1_0000_0000), 3),
    (words) => `${prefix}-${words.map((word) => word.toString(16).padStart(8, "0")).join("")}`
  )
