import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import { randomUUID } from "node:crypto"
import { OwnerId } from "../runners.js"
import type { Attempt, LedgerBackend, StoredSubmission } from "./backend.js"

/** Keeps submissions in memory. All of them belong to this process. */
export const makeMemoryBackend: Effect.Effect<LedgerBackend> = Effect.gen(function* () {
  const submissions = yield* Ref.make(HashMap.empty<string, StoredSubmission>())
  const owner = OwnerId.make(randomUUID())

  const change = (
    key: string,
    when: (found: StoredSubmission) => boolean,
    next: (found: StoredSubmission) => Option.Option<StoredSubmission>
  ) =>
    Ref.modify(submissions, (all) => {
      const found = Option.filter(HashMap.get(all, key), when)
      return [
        Option.isSome(found),
        Option.isSome(found) ? HashMap.modifyAt(all, key, () => next(found.value)) : all
      ] as const
    })

  const isOf =
    ({ intent }: Attempt) =>
    (found: StoredSubmission) =>
      found.intent === intent

  return {
    owner,
    intend: ({ intent, key }, request) =>
      Ref.modify(submissions, (all) => {
        const found = HashMap.get(all, key)
        const isTaken = Option.isSome(found) && found.value.state !== "released" && found.value.intent !== intent
        if (isTaken) return [found.value, all] as const
        const written: StoredSubmission = {
          state: "intended",
          owner,
          intent,
          request,
          isOwnerDead: false
        }
        return [written, HashMap.set(all, key, written)] as const
      }),
    record: (attempt, recordId) =>
      change(attempt.key, isOf(attempt), (found) => Option.some({ ...found, state: "recorded", recordId })),
    withdraw: (attempt) => change(attempt.key, isOf(attempt), Option.none),
    doubt: (attempt) =>
      change(
        attempt.key,
        (found) => isOf(attempt)(found) && found.state === "intended",
        (found) => Option.some({ ...found, state: "unknown" })
      ),
    doubtIfOwnerIsDead: () => Effect.void,
    find: (key) => Effect.map(Ref.get(submissions), HashMap.get(key)),
    complete: (key, recordId, outcome) =>
      change(
        key,
        (found) => found.recordId === recordId && found.outcome === undefined,
        (found) => Option.some({ ...found, outcome })
      ),
    release: (key) =>
      change(
        key,
        ({ state }) => state === "unknown" || state === "released",
        (found) => Option.some({ ...found, state: "released" })
      )
  }
})
