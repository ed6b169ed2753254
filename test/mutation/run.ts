// Runs Stryker on each group of modules, on one shard of the groups, or on some files:
//
//   npm run test:mutation -- [--shard 1/8] [--concurrency 2] [GROUP or FILE ...]
import { Schema } from "effect"
import { spawnSync } from "node:child_process"
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs"
import { parseArgs } from "node:util"
import { groups } from "./groups.js"

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    shard: { type: "string", default: "1/1" },
    concurrency: { type: "string", default: "2" }
  }
})

const filesIn = (directory: string, suffix: string): ReadonlyArray<string> =>
  readdirSync(directory, { recursive: true, encoding: "utf8" })
    .map((file) => file.replaceAll("\\", "/"))
    .filter((file) => file.endsWith(suffix))

const covers = (path: string, file: string) => file === path || (path.endsWith("/") && file.startsWith(path))

/** The name of the group with the longest path to a module. */
const groupOf = (module: string): string | undefined =>
  Object.entries(groups)
    .flatMap(([name, { modules }]) => modules.filter((path) => covers(path, module)).map((path) => ({ name, path })))
    .sort((one, other) => other.path.length - one.path.length)
    .at(0)?.name

const modules = filesIn("src", ".ts")
  // They only export other modules.
  .filter((file) => !/(^|\/)index\.ts$/.test(file))
  .map((file) => ({ file: `src/${file}`, group: groupOf(file) }))
const tests = filesIn("test", ".test.ts")

const Result = Schema.Struct({
  files: Schema.Record({
    key: Schema.String,
    value: Schema.Struct({ mutants: Schema.Array(Schema.Struct({ status: Schema.String })) })
  })
})

const stryker = "node_modules/.cache/stryker/node_modules/.bin/stryker"
const report = "coverage/mutation.json"

/** Mutates some modules of a group. Undefined: its tests fail without a mutant. */
const run = (group: string, mutated: ReadonlyArray<string>): ReadonlyArray<string> | undefined => {
  const paths = groups[group]?.tests ?? []
  const testFiles = tests.filter((file) => paths.some((path) => covers(path, file))).map((file) => `test/${file}`)
  const args = ["--mutate", mutated.join(","), "--testFiles", testFiles.join(","), "--concurrency", values.concurrency]
  rmSync(report, { force: true })
  spawnSync(stryker, ["run", "test/mutation/stryker.json", ...args], { stdio: "inherit" })
  if (!existsSync(report)) return undefined
  const { files } = Schema.decodeSync(Schema.parseJson(Result))(readFileSync(report, "utf8"))
  return Object.values(files).flatMap(({ mutants }) => mutants.map(({ status }) => status))
}

/** The share of mutants that a test notices. A mutant without end is noticed too. */
const summarize = (statuses: ReadonlyArray<string>) => {
  const count = (status: string) => statuses.filter((other) => other === status).length
  const noticed = count("Killed") + count("Timeout")
  const all = noticed + count("Survived") + count("NoCoverage")
  return {
    score: all === 0 ? 100 : Number(((noticed * 100) / all).toFixed(1)),
    mutants: all,
    killed: count("Killed"),
    "timed out": count("Timeout"),
    survived: count("Survived"),
    "not run": count("NoCoverage")
  }
}

const [shard = 1, shards = 1] = values.shard.split("/").map(Number)
const size = (group: string) =>
  modules.reduce((sum, module) => sum + (module.group === group ? statSync(module.file).size : 0), 0)
const wanted = ({ file, group }: (typeof modules)[number]) =>
  positionals.length === 0 || positionals.some((name) => name === file || name === group)
const mutated = modules.filter(wanted)

// The largest first, so that each shard gets some of them.
const results = Object.keys(groups)
  .filter((group) => size(group) > 0)
  .sort((one, other) => size(other) - size(one))
  .filter((_, index) => index % shards === shard - 1)
  .map((group) => ({ group, files: mutated.filter((module) => module.group === group).map(({ file }) => file) }))
  .filter(({ files }) => files.length > 0)
  // A test that depends on the time may fail once.
  .map(({ files, group }) => ({ group, statuses: run(group, files) ?? run(group, files) }))
if (results.length === 0) throw new Error("Nothing to mutate. Use --shard 1/8, Auth or src/Auth.ts, for example.")

const total = summarize(results.flatMap(({ statuses = [] }) => statuses))
console.table({
  ...Object.fromEntries(results.map(({ group, statuses }) => [group, statuses ? summarize(statuses) : "tests failed"])),
  total
})
process.exitCode = total.score < 85 || results.some(({ statuses }) => statuses === undefined) ? 1 : 0
