/** Prints where the random tests of this run start. */
export default function setup() {
  console.info(`ARTA_TEST_SEED=${process.env["ARTA_TEST_SEED"] ?? ""}`)
}
