import { Command, FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"

const pages = ["README.md", ...readdirSync("docs").map((name) => `docs/${name}`)].filter((file) => file.endsWith(".md"))

const blocks = (file: string, language: string) =>
  [...readFileSync(file, "utf8").matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\`$`, "gm"))].map(
    ([, code = ""]) => code
  )

const caches = "node_modules/.cache"

/** Compiles these files and returns the compiler's errors. A separate process keeps this one responsive. */
const problemsIn = (sources: Readonly<Record<string, string>>) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    yield* fs.makeDirectory(caches, { recursive: true })
    const directory = yield* fs.makeTempDirectoryScoped({ directory: caches })
    for (const [name, code] of Object.entries(sources)) yield* fs.writeFileString(`${directory}/${name}`, code)
    const configuration = {
      extends: `${process.cwd()}/tsconfig.json`,
      compilerOptions: { noUnusedLocals: false },
      files: Object.keys(sources)
    }
    yield* fs.writeFileString(`${directory}/tsconfig.json`, JSON.stringify(configuration))
    return yield* Command.lines(Command.make("node_modules/.bin/tsc", "--project", directory, "--pretty", "false"))
  })

/** The relative targets of links and images, with headings left out. */
const relativeLinks = (file: string) =>
  [...readFileSync(file, "utf8").matchAll(/\]\((?!https?:|#)([^)#\s]+)[^)]*\)/g)].map(([, target = ""]) =>
    join(dirname(file), target)
  )

// The compiler is slow on a busy machine.
describe("README.md and docs", { timeout: 120_000 }, () => {
  it.scopedLive("have code that compiles, with a compiler that notices code that does not", () =>
    Effect.gen(function* () {
      const programs = pages.flatMap((file) =>
        blocks(file, "ts").map((code, index) => [`${file.replace(/\W/g, "-")}-${String(index + 1)}.ts`, code] as const)
      )
      expect(programs.length).toBeGreaterThanOrEqual(5)
      const wrong = 'import { Arta } from "effect-arta"\nexport const wrong: number = Arta.run({ promt: "" })\n'
      const problems = yield* problemsIn({ ...Object.fromEntries(programs), "wrong.ts": wrong })
      expect(problems.filter((problem) => !problem.includes("wrong.ts"))).toEqual([])
      expect(problems).not.toEqual([])
    }).pipe(Effect.provide(NodeContext.layer))
  )

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
