/** The quick suite is `npm test`. The full one is `npm run test:full`, which CI runs too. */
const isFull = process.env["ARTA_TEST_SUITE"] === "full"

/** The nightly workflow repeats random tests of the full suite more often. */
const isNightly = process.env["ARTA_TEST_NIGHTLY"] !== undefined

interface Runs {
  readonly full: number
  /** Default: as many as in the full suite. */
  readonly quick?: number
  /** Default: as many as in the full suite. */
  readonly nightly?: number
}

/** How often a random test runs. */
export const runs = ({ full, nightly = full, quick = full }: Runs): number =>
  isFull ? (isNightly ? nightly : full) : quick

/**
 * Where random tests start. Each run draws another one and prints it. To repeat a run, set ARTA_TEST_SEED to what it
 * printed.
 */
export const seed = Number(process.env["ARTA_TEST_SEED"])
