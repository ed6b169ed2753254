// npm run bench:size
import { execFile } from "node:child_process"
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { format } from "prettier"
import { everything, measure, mostOwnBytes, own } from "./bundle.js"

const run = promisify(execFile)

const page = new URL("README.md", import.meta.url)

const kilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(1)} kB`
const megabytes = (bytes: number): string => `${(bytes / 1_000_000).toFixed(1)} MB`

const bytesIn = async (directory: string): Promise<number> => {
  const files = await readdir(directory, { recursive: true, withFileTypes: true })
  const sizes = files.filter((file) => file.isFile()).map((file) => stat(join(file.parentPath, file.name)))
  return (await Promise.all(sizes)).reduce((sum, { size }) => sum + size, 0)
}

const peers = ["effect@3.22", "@effect/platform@0.97", "@effect/platform-node@0.108"]

/** What an empty project holds once it has installed some packages. */
const installed = async (directory: string, ...packages: ReadonlyArray<string>): Promise<number> => {
  await run("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", ...packages], { cwd: directory })
  return bytesIn(join(directory, "node_modules"))
}

const median = (values: ReadonlyArray<number>): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN

/** How long a fresh process takes to import some modules, in milliseconds. */
const importTime = async (directory: string, modules: ReadonlyArray<string>): Promise<number> => {
  const imports = modules.map((name) => `await import(${JSON.stringify(name)})`).join("; ")
  const script = `const start = performance.now(); ${imports}; console.log(performance.now() - start)`
  const { stdout } = await run(process.execPath, ["--input-type=module", "-e", script], { cwd: directory })
  return Number(stdout)
}

const entries = [
  { entry: "effect-arta", alone: ["effect", "@effect/platform/HttpClient"] },
  {
    entry: "effect-arta/node",
    alone: ["effect", "@effect/platform/HttpClient", "@effect/platform-node/NodeHttpClient"]
  },
  { entry: "effect-arta/testing", alone: ["effect", "@effect/platform/HttpClient", "@effect/platform/HttpServer"] }
]

const importTable = async (directory: string): Promise<ReadonlyArray<string>> => {
  const rows: Array<string> = []
  for (const { alone, entry } of entries) {
    const ratios: Array<number> = []
    // Taken in turns, so that whatever else the machine does weighs on both.
    for (let round = 0; round < 9; round += 1) {
      const without = await importTime(directory, alone)
      ratios.push((await importTime(directory, [entry])) / without)
    }
    rows.push(`| \`${entry}\` | ${alone.map((name) => `\`${name}\``).join(", ")} | ${median(ratios).toFixed(2)} |`)
  }
  return rows
}

const report = async (directory: string): Promise<string> => {
  const sizes = await measure(everything)
  const peersAlone = await installed(directory, ...peers)
  const { stdout } = await run("npm", ["pack", "--pack-destination", directory, "--silent"])
  const withUs = await installed(directory, join(directory, stdout.trim().split("\n").at(-1) ?? ""))
  const package_ = await bytesIn(join(directory, "node_modules/effect-arta"))
  return [
    "# Size",
    "`npm run bench:size` writes this page.",
    `The size of \`import { Arta } from "effect-arta"\` in a browser bundle, minified and gzipped. The second row is a bundle of
     only what the first row imports from other packages; the third row, of only what it imports from Effect.`,
    "| Bundle | Size |\n| --- | ---: |\n" +
      [
        ["everything", sizes.whole],
        ["without our code", sizes.others],
        ["without our dependencies: only Effect", sizes.effect],
        [`**our own code** (at most ${String(mostOwnBytes / 1024)} KiB)`, own(sizes)]
      ]
        .map(([name, bytes]) => `| ${String(name)} | ${kilobytes(Number(bytes))} |`)
        .join("\n"),
    `On disk, \`effect-arta\` takes ${megabytes(package_)}, or ${megabytes(withUs - peersAlone)} with its dependencies, including those
     of the command. Its three peer dependencies take ${megabytes(peersAlone)}.`,
    "The time that a new process takes to import an entry, relative to importing only the modules of Effect (median of 9):",
    "| Entry | Modules of Effect | Ratio |\n| --- | --- | ---: |\n" + (await importTable(directory)).join("\n"),
    `Node ${process.versions.node.split(".")[0] ?? ""}.`
  ].join("\n\n")
}

const directory = await mkdtemp(join(tmpdir(), "effect-arta-size-"))
try {
  await writeFile(join(directory, "package.json"), '{ "private": true }')
  const markdown = await format(await report(directory), { parser: "markdown", printWidth: 120, proseWrap: "always" })
  await writeFile(page, markdown)
  console.log(markdown)
} finally {
  await rm(directory, { recursive: true })
}
