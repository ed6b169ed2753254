import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { GenerateRequest } from "../../../GenerateRequest.js"
import type { RecordId } from "../../../Generation.js"
import type { DatabaseError } from "../../BatchDatabase.js"
import type { OwnerId } from "../runners.js"

/** A submission as the backend holds it. `outcome` is JSON. */
export interface StoredSubmission {
  /** `released`: unknown, but the next `submit` may send again. */
  readonly state: "intended" | "recorded" | "unknown" | "released"
  readonly owner: OwnerId
  /** Identifies one attempt to submit. Only that attempt may change the submission until it is released. */
  readonly intent: string
  readonly request: GenerateRequest
  readonly recordId?: RecordId | undefined
  /** Milliseconds since the Unix epoch. */
  readonly recordedAt?: number | undefined
  readonly outcome?: string | undefined
  /** Whether the owner has stopped, or has not updated its heartbeat for a minute. */
  readonly isOwnerDead: boolean
}

/** One attempt to submit. */
export interface Attempt {
  readonly key: string
  readonly intent: string
}

/**
 * Where submissions are kept. Every change is atomic, is committed when it returns, and has the same effect if it runs
 * twice.
 */
export interface LedgerBackend {
  readonly owner: OwnerId
  /**
   * Writes an intent if the key is free or released, or holds the intent of the same attempt. Returns the submission
   * that the key holds now.
   */
  readonly intend: (attempt: Attempt, request: GenerateRequest) => Effect.Effect<StoredSubmission, DatabaseError>
  /**
   * Adds the record id, also after the submission was declared unknown. False if another attempt has replaced this one.
   */
  readonly record: (attempt: Attempt, recordId: RecordId) => Effect.Effect<boolean, DatabaseError>
  /** Removes the intent of an attempt that the service has not accepted. */
  readonly withdraw: (attempt: Attempt) => Effect.Effect<void, DatabaseError>
  /** Marks an intent as unknown. */
  readonly doubt: (attempt: Attempt) => Effect.Effect<void, DatabaseError>
  /** The same for an intent whose owner is dead, if this process can tell. */
  readonly doubtIfOwnerIsDead: (attempt: Attempt) => Effect.Effect<void, DatabaseError>
  readonly find: (key: string) => Effect.Effect<Option.Option<StoredSubmission>, DatabaseError>
  /** Adds the outcome of a generation unless there is one. */
  readonly complete: (key: string, recordId: RecordId, outcome: string) => Effect.Effect<void, DatabaseError>
  /** Releases an unknown submission. Returns whether it is released now. */
  readonly release: (key: string) => Effect.Effect<boolean, DatabaseError>
}
