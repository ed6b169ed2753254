import { Command, FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { blocks, pages } from "../support/pages.js"

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
})
