import { describe, expect, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { resolve } from "node:path"
import ts from "typescript"

const readme = readFileSync("README.md", "utf8")

const blocks = (language: string) =>
  [...readme.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\`$`, "gm"))].map(([, code = ""]) => code)

const problemsIn = (sources: ReadonlyMap<string, string>): ReadonlyArray<string> => {
  const config = ts.getParsedCommandLineOfConfigFile(
    "tsconfig.json",
    { noUnusedLocals: false },
    {
      ...ts.sys,
      onUnRecoverableConfigFileDiagnostic: () => undefined
    }
  )
  const options = config?.options ?? {}
  const host = ts.createCompilerHost(options)
  host.fileExists = (file) => sources.has(file) || ts.sys.fileExists(file)
  host.readFile = (file) => sources.get(file) ?? ts.sys.readFile(file)
  const program = ts.createProgram([...sources.keys()], options, host)
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ file, messageText }) => `${file?.fileName ?? ""}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`)
}

describe("README.md", () => {
  it("has code that compiles, as far as a compiler can tell that notices what does not", () => {
    const sources = new Map(blocks("ts").map((code, index) => [resolve(`readme-${String(index + 1)}.ts`), code]))
    expect(sources.size).toBeGreaterThanOrEqual(5)
    const wrong = resolve("readme-wrong.ts")
    sources.set(wrong, 'import { Arta } from "effect-arta"\nexport const wrong: number = Arta.run({ promt: "" })\n')
    const problems = problemsIn(sources)
    expect(problems.filter((problem) => !problem.startsWith(wrong))).toEqual([])
    expect(problems).not.toEqual([])
  })

  it("sets everything up with exactly two commands", () => {
    const commands = blocks("sh").filter((code) => code.startsWith("npm ci"))
    expect(commands).toEqual(['npm ci && npm run demo -- "a lighthouse at dawn"\n', "npm ci && npm test\n"])
  })
})
