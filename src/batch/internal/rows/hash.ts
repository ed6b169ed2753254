import { createHash } from "node:crypto"
import type { Row } from "../../BatchRow.js"

/** Makes the JSON of objects the same whatever the order of their properties. */
const sorted = (_: string, value: unknown): unknown =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([name], [other]) => (name < other ? -1 : 1)))
    : value

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex")

/** Identifies what a row asks for, before the defaults and the random seed. */
export const fingerprintOf = ({ name, options }: Row): string =>
  sha256(JSON.stringify({ name, options }, sorted)).slice(0, 32)

/** The name of a batch without one: the same rows are the same batch. */
export const batchIdOf = (rows: ReadonlyArray<Row>): string => sha256(rows.map(fingerprintOf).join()).slice(0, 16)
