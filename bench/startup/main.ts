// npm run bench:startup
import { execFile } from "node:child_process"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { format } from "prettier"
import { table } from "../table.js"

const run = promisify(execFile)

const root = fileURLToPath(new URL("../../", import.meta.url))
const readme = new URL("README.md", import.meta.url)
const main = join(root, "dist/cli/main.js")

/** The help and the version may take this many times the processor time of Node itself. */
const target = 3

const rounds = 15

const commandLines = [["--version"], ["--help"], ["generate", "--help"], ["--completions", "bash"], ["models"]]

const directory = await mkdtemp(join(tmpdir(), "effect-arta-startup-"))
const record = join(directory, "cpu.cjs")
const recorded = join(directory, "cpu")

/** The processor time of a new process of Node, with its own start, in microseconds. */
const cpuTime = async (args: ReadonlyArray<string>): Promise<number> => {
  await run(process.execPath, ["--require", record, ...args])
  return Number(await readFile(recorded, "utf8"))
}

const median = (values: ReadonlyArray<number>): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN

/** Alternates, so that other load on the machine affects both equally. */
const ratio = async (args: ReadonlyArray<string>): Promise<number> => {
  const ratios: Array<number> = []
  for (let round = 0; round < rounds; round += 1) {
    const node = await cpuTime(["-e", "0"])
    ratios.push((await cpuTime([main, ...args])) / node)
  }
  return median(ratios)
}

try {
  await run(process.execPath, [join(root, ".ci/bundle-command.mjs")])
  await writeFile(
    record,
    `process.on("exit", () => {
       const { system, user } = process.cpuUsage()
       require("node:fs").writeFileSync(${JSON.stringify(recorded)}, String(system + user))
     })`
  )
  const rows: Array<{ readonly args: ReadonlyArray<string>; readonly ratio: number }> = []
  for (const args of commandLines) rows.push({ args, ratio: await ratio(args) })
  const report = [
    "# Startup",
    "`npm run bench:startup` writes this page.",
    `The processor time of a command that starts and ends, relative to \`node -e 0\` (median of ${String(rounds)} pairs).
     Help and the version load no part of Effect's runtime. They should stay below ${String(target)}.`,
    table(
      ["Command", "Ratio"],
      rows.map(({ args, ratio }) => [`\`effect-arta ${args.join(" ")}\``, ratio.toFixed(2)])
    ),
    `Node ${process.versions.node.split(".")[0] ?? ""}.`
  ].join("\n\n")
  const markdown = await format(report, { parser: "markdown", printWidth: 120, proseWrap: "always" })
  await writeFile(readme, markdown)
  console.log(markdown)
  if (rows.slice(0, 3).some(({ ratio }) => ratio > target)) process.exitCode = 1
} finally {
  await rm(directory, { recursive: true })
}
