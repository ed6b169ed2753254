import { describe, expect, it } from "@effect/vitest"
import { readFileSync } from "node:fs"

const here = (file: string) =>
  readFileSync(new URL(file === "faults.md" ? "../../docs/faults.md" : `../${file}`, import.meta.url), "utf8")

const proofs = [...here("faults.md").matchAll(/^\| [^|]+ \| ([\w/]+\.test\.ts): ([^|]+?) +\|/gm)].map(
  ([, file = "", title = ""]) => ({ file, title })
)

describe("faults.md", () => {
  it("has a test for every row", () => {
    expect(proofs.length).toBeGreaterThan(80)
    const isProved = ({ file, title }: (typeof proofs)[number]) =>
      [`"${title}"`, `\`${title}\``].some((quoted) => here(file).includes(quoted))
    expect(proofs.filter((row) => !isProved(row))).toEqual([])
  })

  it("has no row that names no test", () => {
    const rows = here("faults.md")
      .split("\n")
      .filter((line) => /^\| (?!\*\*|---|-|Fault)/.test(line))
    expect(rows).toHaveLength(proofs.length)
  })
})
