// npm run bench:size
import { execFile } from "node:child_process"
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { format } from "prettier"
import { everything, measure, mostOwnBytes, own } from "./bundle.js"
import { weigh } from "./weights.js"

const run = promisify(execFile)

const readme = new URL("README.md", import.meta.url)

const kilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(1)} kB`
const megabytes = (bytes: number): string => `${(bytes / 1_000_000).toFixed(1)} MB`

const directorySize = async (directory: string): Promise<number> => {
  const files = await readdir(directory, { recursive: true, withFileTypes: true })
  const sizes = files.filter((file) => file.isFile()).map((file) => stat(join(file.parentPath, file.name)))
  return (await Promise.all(sizes)).reduce((sum, { size }) => sum + size, 0)
}

const peers = ["effect@3.22", "@effect/platform@0.97", "@effect/platform-node@0.108"]

/** Installs packages in `directory` and returns the size of its `node_modules` in bytes. */
const installSize = async (directory: string, ...packages: ReadonlyArray<string>): Promise<number> => {
  await run("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", ...packages], { cwd: directory })
  return directorySize(join(directory, "node_modules"))
}

const median = (values: ReadonlyArray<number>): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN

/** The time that a new process takes to import modules, in milliseconds. */
const importTime = async (directory: string, modules: ReadonlyArray<string>): Promise<number> => {
  const imports = modules.map((name) => `await import(${JSON.stringify(name)})`).join("; ")
  const script = `const start = performance.now(); ${imports}; console.log(performance.now() - start)`
  const { stdout } = await run(process.execPath, ["--input-type=module", "-e", script], { cwd: directory })
  return Number(stdout)
}

const entries = [
  { entry: "effect-arta", baseline: ["effect", "@effect/platform/HttpClient"] },
  {
    entry: "effect-arta/node",
    baseline: ["effect", "@effect/platform/HttpClient", "@effect/platform-node/NodeHttpClient"]
  },
  { entry: "effect-arta/testing", baseline: ["effect", "@effect/platform/HttpClient", "@effect/platform/HttpServer"] }
]

const importTable = async (directory: string): Promise<ReadonlyArray<string>> => {
  const rows: Array<string> = []
  for (const { baseline, entry } of entries) {
    const ratios: Array<number> = []
    // Alternate, so that other load on the machine affects both equally.
    for (let round = 0; round < 9; round += 1) {
      const baselineTime = await importTime(directory, baseline)
      ratios.push((await importTime(directory, [entry])) / baselineTime)
    }
    rows.push(`| \`${entry}\` | ${baseline.map((name) => `\`${name}\``).join(", ")} | ${median(ratios).toFixed(2)} |`)
  }
  return rows
}

const weightsTable = async (): Promise<string> => {
  const weights = await weigh(everything)
  const total = weights.reduce((sum, [, bytes]) => sum + bytes, 0)
  const rows = weights.map(
    ([part, bytes]) => `| ${part} | ${kilobytes(bytes)} | ${String(Math.round((100 * bytes) / total))} % |`
  )
  return ["| Part | Minified | Share |\n| --- | ---: | ---: |", ...rows].join("\n")
}

const report = async (directory: string): Promise<string> => {
  const sizes = await measure(everything)
  const peersSize = await installSize(directory, ...peers)
  const { stdout } = await run("npm", ["pack", "--pack-destination", directory, "--silent"])
  const totalSize = await installSize(directory, join(directory, stdout.trim().split("\n").at(-1) ?? ""))
  const packageSize = await directorySize(join(directory, "node_modules/effect-arta"))
  return [
    "# Size",
    "`npm run bench:size` writes this page.",
    `The size of \`import { Arta } from "effect-arta"\` in a browser bundle, minified and gzipped. The second row bundles
     only what the first row imports from other packages. The third row bundles only what it imports from Effect. The last row
     is the first row minus the second.`,
    "| Bundle | Size |\n| --- | ---: |\n" +
      [
        ["whole bundle", sizes.total],
        ["imports from other packages", sizes.external],
        ["imports from Effect", sizes.effect],
        [`**effect-arta itself** (at most ${String(mostOwnBytes / 1024)} KiB)`, own(sizes)]
      ]
        .map(([name, bytes]) => `| ${String(name)} | ${kilobytes(Number(bytes))} |`)
        .join("\n"),
    "What effect-arta itself consists of, minified but not compressed:",
    await weightsTable(),
    `On disk, effect-arta takes ${megabytes(packageSize)}, or ${megabytes(totalSize - peersSize)} with its dependencies, including those
     of its command. Its three peer dependencies take ${megabytes(peersSize)}.`,
    "The time that a new process takes to import an entry, relative to importing only its Effect modules (median of 9):",
    "| Entry | Effect modules | Ratio |\n| --- | --- | ---: |\n" + (await importTable(directory)).join("\n"),
    `Node ${process.versions.node.split(".")[0] ?? ""}.`
  ].join("\n\n")
}

const directory = await mkdtemp(join(tmpdir(), "effect-arta-size-"))
try {
  await writeFile(join(directory, "package.json"), '{ "private": true }')
  const markdown = await format(await report(directory), { parser: "markdown", printWidth: 120, proseWrap: "always" })
  await writeFile(readme, markdown)
  console.log(markdown)
} finally {
  await rm(directory, { recursive: true })
}
