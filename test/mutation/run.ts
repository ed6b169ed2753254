// Runs Stryker on every module of src, on one shard of them, or on some files:
//
//   npm run test:mutation -- [--shard 1/8] [--concurrency 2] [FILE ...]
import { spawnSync } from "node:child_process"
import { readdirSync, statSync } from "node:fs"
import { parseArgs } from "node:util"

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { shard: { type: "string", default: "1/1" }, concurrency: { type: "string", default: "2" } }
})

/** The largest first, so that every shard gets some of them. */
const modules = readdirSync("src", { recursive: true, encoding: "utf8" })
  .map((file) => `src/${file.replaceAll("\\", "/")}`)
  .filter((file) => file.endsWith(".ts") && !file.startsWith("src/cli/command/gallery/page"))
  .sort((one, other) => statSync(other).size - statSync(one).size || one.localeCompare(other))

const [shard = 1, shards = 1] = values.shard.split("/").map(Number)
const mutated = positionals.length > 0 ? positionals : modules.filter((_, index) => index % shards === shard - 1)
if (mutated.length === 0) throw new Error(`There is no shard ${values.shard}. Use --shard 1/8, for example.`)

const stryker = "node_modules/.cache/stryker/node_modules/.bin/stryker"
const args = ["run", "test/mutation/stryker.json", "--mutate", mutated.join(","), "--concurrency", values.concurrency]
process.exitCode = spawnSync(stryker, args, { stdio: "inherit" }).status ?? 1
