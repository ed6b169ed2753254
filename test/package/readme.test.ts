import { describe, expect, it } from "@effect/vitest"
import { existsSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { blocks, pages } from "../support/pages.js"

/** The relative targets of links and images, with headings left out. */
const relativeLinks = (file: string) =>
  [...readFileSync(file, "utf8").matchAll(/\]\((?!https?:|#)([^)#\s]+)[^)]*\)/g)].map(([, target = ""]) =>
    join(dirname(file), target)
  )

describe("README.md and docs", () => {
  it("link only to files that the package contains", () => {
    const isPacked = (target: string) =>
      /^(docs\/|README\.md$|CHANGELOG\.md$|LICENSE$)/.test(target) && existsSync(target)
    const broken = pages.flatMap((file) =>
      relativeLinks(file)
        .filter((target) => !isPacked(target))
        .map((target) => `${file}: ${target}`)
    )
    expect(broken).toEqual([])
  })
})

describe("README.md", () => {
  it("has at most 900 words", () => {
    expect(readFileSync("README.md", "utf8").trim().split(/\s+/).length).toBeLessThanOrEqual(900)
  })

  it("sets everything up with exactly two commands", () => {
    const commands = blocks("README.md", "sh").filter((code) => code.startsWith("npm ci"))
    expect(commands).toEqual(['npm ci && npm run demo -- "a lighthouse at dawn"\n', "npm ci && npm test\n"])
  })
})
