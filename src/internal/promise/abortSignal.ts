import * as Effect from "effect/Effect"

/** Those who wait for a signal. One listener tells them all, because many on one signal look like a leak. */
interface Audience {
  readonly members: Set<() => void>
  readonly tell: () => void
}

const audiences = new WeakMap<AbortSignal, Audience>()

const gather = (signal: AbortSignal): Audience => {
  const members = new Set<() => void>()
  const tell = () => {
    for (const member of members) member()
  }
  signal.addEventListener("abort", tell, { once: true })
  const audience = { members, tell }
  audiences.set(signal, audience)
  return audience
}

const join = (signal: AbortSignal, member: () => void): Effect.Effect<void> => {
  const { members, tell } = audiences.get(signal) ?? gather(signal)
  members.add(member)
  return Effect.sync(() => {
    members.delete(member)
    if (members.size > 0) return
    // A signal with a listener is kept in memory for as long as one that it follows.
    signal.removeEventListener("abort", tell)
    audiences.delete(signal)
  })
}

/** Fails with the reason of a signal once it is aborted. */
export const aborted = (signal: AbortSignal): Effect.Effect<never, unknown> =>
  Effect.async((resume) => {
    const fail = () => {
      resume(Effect.fail<unknown>(signal.reason))
    }
    if (!signal.aborted) return join(signal, fail)
    fail()
    return Effect.void
  })
