/** `mark` notes the time, for the records that are open then. */
export type Question = "counts" | "mark"

export interface UpstreamCounts {
  readonly submissions: number
  /** Submissions of a prompt that had been submitted before. */
  readonly repeated: number
  readonly images: number
  /** The time from the first submission to the last image. */
  readonly activeMillis: number
  /** The records that were polled at least once. */
  readonly polled: number
  /** How many of the records that were open at the mark were polled since. */
  readonly resumed: number
  /** The time from the mark until the last of these was polled, in milliseconds. */
  readonly resumedAfter: number
}

/** What a process used: the processor time of its work without its start, and its peak memory with it. */
export interface Usage {
  readonly cpuMillis: number
  readonly peakBytes: number
}
