/** The quick suite is `npm test`. The full one is `npm run test:full`, which CI runs too. */
const isFull = process.env["ARTA_TEST_SUITE"] === "full"

/** How often the quick and the full suite repeat a random test. */
export const runs = ({ full, quick }: { readonly quick: number; readonly full: number }): number =>
  isFull ? full : quick

/**
 * Where random tests start. Each run draws another one and prints it. To repeat a run, set ARTA_TEST_SEED to what it
 * printed.
 */
export const seed = Number(process.env["ARTA_TEST_SEED"])
