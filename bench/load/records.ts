import type { Mode } from "./measures.js"

export type Stage = "queued" | "generating" | "done"

/** A generation: when it was submitted, and how many status requests it had. */
interface Generation {
  readonly submittedAt: number
  polls: number
}

const queueMillis = 1_000
const generatingMillis = 2_000

const queuedPolls = 2
const generatingPolls = 4

const stageAfter = (elapsed: number, queue: number, generating: number): Stage =>
  elapsed < queue ? "queued" : elapsed < queue + generating ? "generating" : "done"

const stages: Readonly<Record<Mode, (generation: Generation) => Stage>> = {
  fixed: ({ polls }) => stageAfter(polls - 1, queuedPolls, generatingPolls),
  clock: ({ submittedAt }) => stageAfter(Date.now() - submittedAt, queueMillis, generatingMillis),
  endless: () => "generating"
}

/** The generations of the server. */
export const makeRecords = (mode: Mode) => {
  const records = new Map<string, Generation>()
  const get = (id: string): Generation => {
    const record = records.get(id)
    if (record === undefined) throw new Error(`unknown record ${id}`)
    return record
  }

  return {
    submit: (): string => {
      const id = `record-${String(records.size)}`
      records.set(id, { submittedAt: Date.now(), polls: 0 })
      return id
    },
    poll: (id: string): Stage => {
      const record = get(id)
      record.polls++
      return stages[mode](record)
    },
    /** The URL contains the time when the generation ends by the clock, so the client can measure its lag. */
    image: (id: string): string => {
      const endsAt = get(id).submittedAt + queueMillis + generatingMillis
      return `http://images.example/${String(endsAt)}.png`
    },
    count: () => records.size,
    fewestPolls: () =>
      records.size === 0 ? 0 : [...records.values()].reduce((fewest, { polls }) => Math.min(fewest, polls), Infinity)
  }
}
