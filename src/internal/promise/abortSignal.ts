import * as Effect from "effect/Effect"

/** Shares one `abort` listener among many waiters: Node warns of a leak when a signal has more than ten listeners. */
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
    // While it has a listener, a signal from `AbortSignal.any` stays in memory as long as its sources.
    signal.removeEventListener("abort", notify)
    fanouts.delete(signal)
  })
}

/** Waits until the signal is aborted, then fails with its reason. */
export const aborted = (signal: AbortSignal): Effect.Effect<never, unknown> =>
  Effect.async((resume) => {
    const fail = () => {
      resume(Effect.fail<unknown>(signal.reason))
    }
    if (!signal.aborted) return subscribe(signal, fail)
    fail()
    return Effect.void
  })
