// npm run bench:gallery
import { execFile } from "node:child_process"
import { mkdtemp, open, readdir, rm, stat, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { format } from "prettier"
import { launch } from "../../test/support/chromium.js"
import { table } from "../table.js"
import { measurePages } from "./browser.js"
import { writeDirectory } from "./directory.js"

const run = promisify(execFile)
const counts = [500, 5_000, 50_000] as const

const seconds = async (work: () => Promise<unknown>): Promise<number> => {
  const start = performance.now()
  await work()
  return (performance.now() - start) / 1000
}

const runGallery = (directory: string) =>
  seconds(() => run(process.execPath, ["dist/cli/main.js", "gallery", directory], { maxBuffer: 2 ** 26 }))

/** What any program must do: list the directory, and read the start of each image. Eight files are open at once. */
const readHeads = (directory: string) =>
  seconds(async () => {
    const names = (await readdir(directory)).filter((name) => name.endsWith(".png"))
    const next = names.values()
    const lane = async () => {
      for (const name of next) {
        const file = join(directory, name)
        await stat(file)
        const handle = await open(file)
        await handle.read(Buffer.alloc(512), 0, 512, 0)
        await handle.close()
      }
    }
    await Promise.all(Array.from({ length: 8 }, lane))
  })

const digits = (value: number, count = 2): string => value.toFixed(count)
const named = (count: number): string => count.toLocaleString("en")

const writingTable = async (directories: ReadonlyArray<string>): Promise<string> => {
  const rows: Array<ReadonlyArray<string>> = []
  for (const [index, directory] of directories.entries()) {
    const heads = await readHeads(directory)
    const first = await runGallery(directory)
    const again = await runGallery(directory)
    rows.push([named(counts[index] ?? 0), digits(first), digits(again), digits(first / heads), digits(again / heads)])
  }
  return table(["Rows", "first, seconds", "again, seconds", "first, ratio", "again, ratio"], rows)
}

const browserTable = async (directories: ReadonlyArray<string>): Promise<string> => {
  const browser = await launch()
  try {
    const all = await measurePages(
      browser,
      directories.map((directory) => join(directory, "index.html"))
    )
    const [base] = all
    return table(
      ["Images", "first paint, ms", "keystroke, ms", "arrow step, ms", "first paint", "keystroke", "arrow step"],
      all.map((times, index) => {
        const ratio = (name: keyof typeof times) => digits(times[name] / (base?.[name] ?? NaN))
        return [
          named(counts[index] ?? 0),
          digits(times.firstPaint, 0),
          digits(times.keystroke, 1),
          digits(times.step, 1),
          ratio("firstPaint"),
          ratio("keystroke"),
          ratio("step")
        ]
      })
    )
  } finally {
    await browser.close()
  }
}

const parent = await mkdtemp(join(tmpdir(), "effect-arta-gallery-"))
try {
  const directories = counts.map((count) => join(parent, String(count)))
  for (const [index, directory] of directories.entries()) writeDirectory(directory, counts[index] ?? 0)
  const report = [
    "# The gallery",
    "`npm run bench:gallery` writes this page.",
    `The time of \`effect-arta gallery\`, from the start of the process to its end. The first time, it reads the start of every
     image. When it runs again, it reads only new and changed images. The ratios are to a loop in Node that does no more than read the
     start of every image in the same directory.`,
    await writingTable(directories),
    `The page in headless Chromium, median of several runs in turn. The keystroke in the filter and the step in the full-size view are
     the slowest of a run, and include the layout. The last columns are ratios to ${named(counts[0])} images.`,
    await browserTable(directories),
    `Node ${process.versions.node.split(".")[0] ?? ""}.`
  ].join("\n\n")
  const markdown = await format(report, { parser: "markdown", printWidth: 120, proseWrap: "always" })
  await writeFile(new URL("README.md", import.meta.url), markdown)
  console.log(markdown)
} finally {
  await rm(parent, { recursive: true })
}
