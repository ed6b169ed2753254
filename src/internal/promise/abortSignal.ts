import * as Effect from "effect/Effect"

/** Fans one `abort` listener out to many waiters: Node warns of a leak when one signal has many listeners. */
interface AbortFanout {
  readonly listeners: Set<() => void>
  readonly notify: () => void
}

const fanouts = new WeakMap<AbortSignal, AbortFanout>()

const attach = (signal: AbortSignal): AbortFanout => {
  const listeners = new Set<() => void>()
  const notify = () => {
    for (const listener of listeners) listener()
  }
  signal.addEventListener("abort", notify, { once: true })
  const fanout = { listeners, notify }
  fanouts.set(signal, fanout)
  return fanout
}

const subscribe = (signal: AbortSignal, listener: () => void): Effect.Effect<void> => {
  const { listeners, notify } = fanouts.get(signal) ?? attach(signal)
  listeners.add(listener)
  return Effect.sync(() => {
    listeners.delete(listener)
    if (listeners.size > 0) return
    // A signal with a listener is kept in memory for as long as one that it follows.
    signal.removeEventListener("abort", notify)
    fanouts.delete(signal)
  })
}

/** Fails with the reason of a signal once it is aborted. */
export const aborted = (signal: AbortSignal): Effect.Effect<never, unknown> =>
  Effect.async((resume) => {
    const fail = () => {
      resume(Effect.fail<unknown>(signal.reason))
    }
    if (!signal.aborted) return subscribe(signal, fail)
    fail()
    return Effect.void
  })
