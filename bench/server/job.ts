export interface Job {
  readonly generations: number
  /** How many of them run at once. */
  readonly concurrency: number
}
