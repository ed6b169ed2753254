/**
 * How many requests a service accepts, as its responses show. Times are milliseconds on the monotonic clock.
 *
 * Decreases after a refusal and increases carefully, like AIMD (Chiu and Jain, 1989), but returns to a rate that was
 * proven before, like BIC (Xu, Harfoush and Rhee, 2004), and measures the delivered rate, like BBR (Cardwell and
 * others, 2016): at one request a second, every guess costs seconds. `docs/polling.md` describes the rules.
 */
export interface LearnedRate {
  /** The time between two requests. 0 if no limit is known. */
  readonly interval: number
  /** The interval to return to. It is longer than `interval` while a shorter one is tried. */
  readonly provenInterval: number
  /** How many requests were accepted since `since`. */
  readonly accepted: number
  readonly since: number
  /** How many of them prove `interval`, because they followed the request before without idle time. */
  readonly proofs: number
  /** The factor by which to try a shorter interval, and when to try it. */
  readonly step: number
  readonly tryAt: number
  /** How many requests were refused since one was accepted. */
  readonly refusals: number
  /** When the first of them, or of those before, was refused. */
  readonly refusedAt: number
  /** Counts all refusals that changed the rate. A request from an earlier epoch says nothing about this rate. */
  readonly epoch: number
}

const second = 1_000
const minute = 60 * second

// The shortest wait that Retry-After can express.
const firstWait = second
const longestWait = 30 * second
const longestGuess = 2 * second

const neededProofs = 5
const shortestProof = second
const firstStep = 1.1
const longestStep = 2
const backoff = 1.1

// If the limit stays the same, trying a shorter interval costs a refusal.
const patience = 3 * minute
const memory = 10 * minute
const shortestInterval = 10

export const noLimit = (now: number, epoch: number): LearnedRate => ({
  interval: 0,
  provenInterval: 0,
  accepted: 0,
  since: now,
  proofs: 0,
  step: firstStep,
  tryAt: now,
  refusals: 0,
  refusedAt: now,
  epoch
})

export const isUnlimited = ({ interval, refusals }: LearnedRate): boolean => interval === 0 && refusals === 0

/** Forgets a limit that no refusal has confirmed for ten minutes. */
export const forgetOld = (rate: LearnedRate, now: number): LearnedRate =>
  rate.refusals === 0 && now - rate.refusedAt > memory ? noLimit(now, rate.epoch) : rate

/** When the next request may be sent, if the last one was sent at `sentAt`. */
export const nextAt = ({ interval, refusals, refusedAt }: LearnedRate, sentAt: number): number => {
  if (refusals === 1 && interval === 0) return Math.max(refusedAt, sentAt) + firstWait
  const wait = refusals > 1 ? Math.min(longestWait, Math.ceil((sentAt - refusedAt) / 2)) : 0
  return sentAt + Math.max(interval, wait)
}

/** Learns from a refusal: returns to the proven interval, or exceeds it if it was that one. */
export const refused = (rate: LearnedRate, sentAt: number, now: number): LearnedRate => {
  const again = { ...rate, refusals: rate.refusals + 1, epoch: rate.epoch + 1 }
  if (rate.refusals > 0) return again
  const isTrial = rate.interval < rate.provenInterval
  const interval = isTrial ? rate.provenInterval : Math.ceil(rate.interval * backoff)
  return {
    ...again,
    interval,
    provenInterval: interval,
    proofs: 0,
    step: firstStep,
    // The first interval is an estimate, so try at once whether a shorter one works.
    tryAt: interval === 0 ? now : now + patience,
    // The wait began only when the refusal arrived.
    since: rate.since + now - sentAt,
    refusedAt: now
  }
}

/**
 * Learns from the first request that was accepted after refusals. After a short time of refusals, the refused request
 * was just too early. After a longer one, the service accepts as many requests in such a time as it did until now. It
 * may have accepted more than were sent, so the rate at most halves.
 */
const reopened = (rate: LearnedRate, sentAt: number): LearnedRate => {
  const delivered = Math.ceil((sentAt - rate.since) / Math.max(1, rate.accepted))
  const longest = rate.interval === 0 ? longestGuess : 2 * rate.interval
  const interval =
    sentAt - rate.refusedAt <= 2 * rate.interval
      ? rate.interval
      : Math.max(rate.interval, shortestInterval, Math.min(delivered, longest))
  return { ...rate, interval, provenInterval: interval, accepted: 1, since: sentAt, refusals: 0 }
}

const tryShorter = (rate: LearnedRate, sentAt: number): LearnedRate => {
  const interval = Math.ceil(rate.interval / rate.step)
  if (interval < shortestInterval) return noLimit(rate.since, rate.epoch)
  return {
    ...rate,
    interval,
    provenInterval: rate.interval,
    proofs: 0,
    step: Math.min(longestStep, 2 * rate.step - 1),
    // A service may accept a burst before it refuses.
    tryAt: sentAt + shortestProof
  }
}

/** Learns from an accepted request while a limit is known. */
export const accepted = (rate: LearnedRate, sentAt: number, isPaced: boolean): LearnedRate => {
  if (rate.refusals > 0) return reopened(rate, sentAt)
  const counted = { ...rate, accepted: rate.accepted + 1, proofs: rate.proofs + (isPaced ? 1 : 0) }
  return counted.proofs >= neededProofs && sentAt >= rate.tryAt ? tryShorter(counted, sentAt) : counted
}
