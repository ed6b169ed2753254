import { Command, FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync } from "node:fs"

const readme = readFileSync("README.md", "utf8")

const blocks = (language: string) =>
  [...readme.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\`$`, "gm"))].map(([, code = ""]) => code)

const caches = "node_modules/.cache"

/** What the compiler has to say of these files. It runs in a process of its own, because it leaves time to nothing else. */
const problemsIn = (sources: Readonly<Record<string, string>>) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    yield* fs.makeDirectory(caches, { recursive: true })
    const folder = yield* fs.makeTempDirectoryScoped({ directory: caches })
    for (const [name, code] of Object.entries(sources)) yield* fs.writeFileString(`${folder}/${name}`, code)
    const configuration = {
      extends: `${process.cwd()}/tsconfig.json`,
      compilerOptions: { noUnusedLocals: false },
      files: Object.keys(sources)
    }
    yield* fs.writeFileString(`${folder}/tsconfig.json`, JSON.stringify(configuration))
    return yield* Command.lines(Command.make("node_modules/.bin/tsc", "--project", folder, "--pretty", "false"))
  })

// The compiler takes its time on a busy machine.
describe("README.md", { timeout: 120_000 }, () => {
  it.scopedLive("has code that compiles, as far as a compiler can tell that notices what does not", () =>
    Effect.gen(function* () {
      const programs = blocks("ts").map((code, index) => [`program-${String(index + 1)}.ts`, code] as const)
      expect(programs.length).toBeGreaterThanOrEqual(5)
      const wrong = 'import { Arta } from "effect-arta"\nexport const wrong: number = Arta.run({ promt: "" })\n'
      const problems = yield* problemsIn({ ...Object.fromEntries(programs), "wrong.ts": wrong })
      expect(problems.filter((problem) => !problem.includes("wrong.ts"))).toEqual([])
      expect(problems).not.toEqual([])
    }).pipe(Effect.provide(NodeContext.layer))
  )

  it("sets everything up with exactly two commands", () => {
    const commands = blocks("sh").filter((code) => code.startsWith("npm ci"))
    expect(commands).toEqual(['npm ci && npm run demo -- "a lighthouse at dawn"\n', "npm ci && npm test\n"])
  })
})
