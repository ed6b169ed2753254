// npm run bench:batch-local
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ArtaEmulator } from "effect-arta/testing"
import { build } from "esbuild"
import { execSync, spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import { availableParallelism, tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { table } from "../table.js"
import { promptsOf, writeFinished } from "./directory.js"

const fromRoot = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const built = fromRoot("node_modules/.cache/batch-local")

interface Usage {
  readonly cpuMillis: number
  readonly peakBytes: number
  readonly millis: number
}

type Environment = Readonly<Record<string, string>>

/** Runs a program to its end and returns what it used. */
const measure = async (args: ReadonlyArray<string>, environment: Environment, directory: string): Promise<Usage> => {
  const usageFile = join(directory, "usage.json")
  const start = performance.now()
  const child = spawn(process.execPath, ["--import", `${built}/usage.js`, ...args], {
    env: { ...process.env, ...environment, USAGE_FILE: usageFile },
    stdio: ["ignore", "ignore", "pipe"]
  })
  const stderr: Array<string> = []
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk.toString()))
  const code = await new Promise((resolve) => child.once("close", resolve))
  if (code !== 0) throw new Error(`exit code ${String(code)}: ${stderr.join("").slice(-2_000)}`)
  const millis = performance.now() - start
  return { ...(JSON.parse(readFileSync(usageFile, "utf8")) as Omit<Usage, "millis">), millis }
}

const median = (values: ReadonlyArray<number>): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN

const inDirectory = async <A>(use: (directory: string) => Promise<A>): Promise<A> => {
  const directory = mkdtempSync(join(tmpdir(), "effect-arta-batch-"))
  try {
    return await use(directory)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

const batch = (file: string, directory: string) => [
  fromRoot("dist/cli/main.js"),
  "batch",
  file,
  "-o",
  `${directory}/images`
]

const added = 200

/** Runs a batch in a directory with finished rows: once with nothing to do, then with rows to add. */
const measureResume = (rows: number, environment: Environment) =>
  inDirectory(async (directory) => {
    const finished = promptsOf(0, rows)
    await writeFinished(`${directory}/images`, finished, environment)
    const file = `${directory}/prompts.txt`
    writeFileSync(file, finished.join("\n"))
    const resume = await measure(batch(file, directory), environment, directory)
    writeFileSync(file, [...finished, ...promptsOf(rows, rows + added)].join("\n"))
    const add = await measure(batch(file, directory), environment, directory)
    const result = { rows, resume, cpuPerAdded: (add.cpuMillis - resume.cpuMillis) / added }
    console.log(result)
    return result
  })

const few = 20
const many = 220

/** The processor time of one more generation, in milliseconds. */
const cpuPerGeneration = (
  argsOf: (file: string, directory: string) => ReadonlyArray<string>,
  environment: Environment
) =>
  inDirectory(async (directory) => {
    const cpu: Array<number> = []
    for (const rows of [few, many]) {
      const file = `${directory}/${String(rows)}.txt`
      writeFileSync(file, promptsOf(rows, 2 * rows).join("\n"))
      cpu.push((await measure(argsOf(file, directory), environment, directory)).cpuMillis)
    }
    return ((cpu[1] ?? NaN) - (cpu[0] ?? NaN)) / (many - few)
  })

const rounds = 3

const compare = async (environment: Environment) => {
  const ratios: Array<number> = []
  for (let round = 0; round < rounds; round += 1) {
    const loop = await cpuPerGeneration(
      (file, directory) => [`${built}/library.js`, fromRoot("dist"), file, `${directory}/images`],
      environment
    )
    const command = await cpuPerGeneration(batch, environment)
    console.log({ loop, command })
    ratios.push(command / loop)
  }
  return median(ratios)
}

const sizes = [500, 5_000, 50_000]

const report = async (environment: Environment): Promise<string> => {
  const ratio = await compare(environment)
  const startUp = await measureResume(1, environment)
  const resumes: Array<Awaited<ReturnType<typeof measureResume>>> = []
  for (const rows of sizes) resumes.push(await measureResume(rows, environment))
  const cpuPerRow = ({ resume, rows }: (typeof resumes)[number]) => (resume.cpuMillis - startUp.resume.cpuMillis) / rows
  const [smallest] = resumes
  if (smallest === undefined) throw new Error("nothing measured")

  return [
    "# A batch on one machine",
    "`npm run bench:batch-local` writes this page. It runs the built command against the emulator in another process.",
    "## Large batches",
    "A batch is run again in a directory in which all its rows are done. The gallery is not part of it. The start of the\n" +
      "process is subtracted from the processor time per row. The ratios compare with the first line.",
    table(
      ["Rows", "Seconds", "Processor time per row", "Ratio", "Processor time per row added", "Ratio", "Peak memory"],
      resumes.map((result) => [
        result.rows.toLocaleString("en"),
        (result.resume.millis / 1_000).toFixed(1),
        `${cpuPerRow(result).toFixed(3)} ms`,
        (cpuPerRow(result) / cpuPerRow(smallest)).toFixed(2),
        `${result.cpuPerAdded.toFixed(1)} ms`,
        (result.cpuPerAdded / smallest.cpuPerAdded).toFixed(2),
        `${(result.resume.peakBytes / 1e6).toFixed(0)} MB`
      ])
    ),
    "## Processor time of a generation",
    `The command records each step in its journal, shows the progress and saves the images. Its processor time for one more\n` +
      `generation is **${ratio.toFixed(2)} times** that of a program that calls \`Arta.run\` and \`ImageFile.save\` (median of ${String(rounds)}).`,
    `Measured with ${String(availableParallelism())} cores and Node ${process.versions.node.split(".")[0] ?? ""}.\n`
  ].join("\n\n")
}

execSync("npm run build", { cwd: fromRoot("."), stdio: ["ignore", "ignore", "inherit"] })
await build({
  entryPoints: [fromRoot("bench/batch-local/library.ts"), fromRoot("bench/batch-local/usage.ts")],
  outdir: built,
  format: "esm",
  platform: "node",
  target: "node20"
})

const emulator = ArtaEmulator.layerServer({ queueTime: 0, drawTime: 0, imageSize: 64 }).pipe(
  Layer.provideMerge(
    NodeHttpServer.layer(() => createServer({ keepAliveTimeout: 60_000 }), { port: 0, host: "127.0.0.1" })
  )
)

const page = await Effect.gen(function* () {
  const { apiUrl, signUpUrl, tokenUrl } = yield* ArtaEmulator.urls
  return yield* Effect.promise(() =>
    inDirectory((directory) =>
      report({
        ARTA_API_KEY: "k",
        ARTA_API_URL: apiUrl,
        ARTA_SIGN_UP_URL: signUpUrl,
        ARTA_TOKEN_URL: tokenUrl,
        ARTA_TOKEN_FILE: join(directory, "credentials.json")
      })
    )
  )
}).pipe(Effect.provide(emulator), Effect.runPromise)

writeFileSync(new URL("README.md", import.meta.url), page)
console.log(page)
