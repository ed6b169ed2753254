import { FileSystem } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { build } from "esbuild"
import { execFile } from "node:child_process"
import { resolve } from "node:path"
import { promisify } from "node:util"
import { onEmulator } from "../support/command.js"
import { onPort } from "../support/commandWorld.js"
import { blocks } from "../support/pages.js"

/** What each program prints. */
const pages: Readonly<Record<string, RegExp>> = {
  "README.md": /^Submitted\n(.*\n)*Completed\nsaved images\/a-lighthouse-at-dawn-\d+-0\.png\n$/,
  "docs/batch.md": /^(\d+-a-(fox|hare)-\d+ Saved\n){2}$/
}

const examples: Readonly<Record<string, RegExp>> = {
  "examples/compose.ts": /^((Lisbon|Tromsø|Kyoto): http.*\n){3}$/,
  "examples/for-await.ts": /^submitted with seed \d+\n[^]*\ncompleted after /,
  "examples/promises.ts": /^http.*\nUnknownModelError: .*\nTimeoutError: .*\n$/,
  "examples/serve.ts": /^200 \{.*"b64_json"/m,
  "examples/trace.ts": /^<svg [^]*<\/svg>\n$/
}

const alias = Object.fromEntries(
  ["", "/node", "/batch"].map((entry) => [`effect-arta${entry}`, resolve(`src${entry}/index.ts`)])
)

/** Bundles the first program of a page, and returns its path. It finds its packages in the node_modules above. */
const bundlePage = (page: string, directory: string) =>
  Effect.promise(async () => {
    const stdin = { contents: blocks(page, "ts")[0] ?? "", loader: "ts", resolveDir: resolve(".") } as const
    const outfile = `${directory}/program.mjs`
    await build({ stdin, outfile, bundle: true, packages: "external", platform: "node", format: "esm", alias })
    return outfile
  })

/** Runs a program in a directory, as a user does. Its environment has the addresses of the emulator. */
const outputOf = (cwd: string, program: string, ...args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const env = { ...process.env, ...(yield* onEmulator(cwd)) }
    const { stdout } = yield* Effect.promise(() => promisify(execFile)(program, args, { cwd, env }))
    return stdout
  })

/** A new directory in node_modules/.cache. */
const makeDirectory = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  yield* fs.makeDirectory("node_modules/.cache", { recursive: true })
  return yield* fs.makeTempDirectoryScoped({ directory: resolve("node_modules/.cache") })
})

// Programs start slowly on a busy machine.
describe("On the emulator", { timeout: 60_000 }, () => {
  it.scopedLive.each(Object.entries(pages))("the program of %s runs", ([page, prints]) =>
    Effect.gen(function* () {
      const directory = yield* makeDirectory
      const program = yield* bundlePage(page, directory)
      expect(yield* outputOf(directory, process.execPath, program)).toMatch(prints)
    }).pipe(onPort())
  )

  it.scopedLive.each(Object.entries(examples))("%s runs", ([file, prints]) =>
    Effect.gen(function* () {
      const args = ["--tsconfig", resolve("tsconfig.json"), resolve(file)]
      expect(yield* outputOf(yield* makeDirectory, resolve("node_modules/.bin/tsx"), ...args)).toMatch(prints)
    }).pipe(onPort())
  )
})
