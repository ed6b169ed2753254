// npm run bench:server
import { build } from "esbuild"
import type { ChildProcess } from "node:child_process"
import { execSync, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { availableParallelism, tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { format } from "prettier"
import { table } from "../table.js"
import type { Job } from "./job.js"

const fromRoot = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const built = fromRoot("node_modules/.cache/bench-server")
const dist = fromRoot("dist")

/** The server may take this many times the processor time of the library. */
const target = 1.5

const job: Job = { generations: 500, concurrency: 32 }
const rounds = 7

/** Servers run for long. Until here, both still get faster, because Node compiles what runs often. */
const warmUp: Job = { ...job, generations: 2_000 }

const key = "sk-arta-bench"

type Environment = Readonly<Record<string, string>>

const start = (args: ReadonlyArray<string>, environment: Environment = {}) =>
  spawn(process.execPath, ["--import", `${built}/cpu.js`, ...args], {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe", "ipc"]
  })

const messageOf = async (child: ChildProcess): Promise<unknown> => {
  const [message] = (await once(child, "message")) as [unknown]
  return message
}

const cpuMillis = async (child: ChildProcess): Promise<number> => {
  child.send("cpu")
  return Number(await messageOf(child))
}

interface Subject {
  readonly child: ChildProcess
  readonly run: (job: Job) => Promise<unknown>
}

interface Usage {
  readonly cpuPerGeneration: number
  readonly perSecond: number
}

const measure = async ({ child, run }: Subject): Promise<Usage> => {
  const cpu = await cpuMillis(child)
  const begin = performance.now()
  await run(job)
  const seconds = (performance.now() - begin) / 1_000
  return {
    cpuPerGeneration: ((await cpuMillis(child)) - cpu) / job.generations,
    perSecond: job.generations / seconds
  }
}

const startLibrary = async (environment: Environment): Promise<Subject> => {
  const child = start([`${built}/library.js`, dist], environment)
  await messageOf(child)
  return {
    child,
    run: (job) => {
      child.send(job)
      return messageOf(child)
    }
  }
}

const generate = async (origin: string, prompt: string): Promise<void> => {
  const response = await fetch(`${origin}/v1/images/generations`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ prompt })
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${String(response.status)}: ${text}`)
}

/** Sends so many requests, each worker one after the other. */
const request = async (origin: string, { concurrency, generations }: Job): Promise<void> => {
  const indices = Array.from({ length: generations }, (_, index) => index).values()
  const worker = async () => {
    for (const index of indices) await generate(origin, `a fox ${String(index)}`)
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
}

/** The command, as a user starts it. Its access log goes to a pipe. */
const startServer = async (environment: Environment): Promise<Subject> => {
  const args = [fromRoot("dist/cli/main.js"), "serve", "--port", "0"]
  const child = start(args, { ...environment, ARTA_SERVER_KEY: key })
  const origin = await new Promise<string>((resolve, reject) => {
    const seen: Array<string> = []
    const look = (chunk: Buffer) => {
      seen.push(chunk.toString())
      const [found] = /http:\/\/127\.0\.0\.1:\d+/.exec(seen.join("")) ?? []
      if (found === undefined) return
      // Reads the access log, but looks no more into it: this process must not take time from the server.
      for (const output of [child.stdout, child.stderr]) output?.off("data", look).resume()
      resolve(found)
    }
    child.stdout?.on("data", look)
    child.stderr?.on("data", look)
    child.once("exit", () => {
      reject(new Error(seen.join("")))
    })
  })
  return { child, run: (job) => request(origin, job) }
}

const median = (values: ReadonlyArray<number>): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN

interface Result {
  readonly library: ReadonlyArray<Usage>
  readonly server: ReadonlyArray<Usage>
}

/** Alternates, so that other load on the machine affects both equally. */
const compare = async (library: Subject, server: Subject): Promise<Result> => {
  const usages: Array<readonly [Usage, Usage]> = []
  await library.run(warmUp)
  await server.run(warmUp)
  for (let round = 1; round <= rounds; round += 1) {
    const usage = [await measure(library), await measure(server)] as const
    console.log({ round, library: usage[0], server: usage[1] })
    usages.push(usage)
  }
  return { library: usages.map(([usage]) => usage), server: usages.map(([, usage]) => usage) }
}

const ratioOf = ({ library, server }: Result): number =>
  median(server.map(({ cpuPerGeneration }, round) => cpuPerGeneration / (library[round]?.cpuPerGeneration ?? NaN)))

const row = (name: string, usages: ReadonlyArray<Usage>) => [
  name,
  median(usages.map(({ perSecond }) => perSecond)).toFixed(0),
  `${median(usages.map(({ cpuPerGeneration }) => cpuPerGeneration)).toFixed(2)} ms`
]

const report = (result: Result): string =>
  [
    "# The server",
    "`npm run bench:server` writes this page.",
    `\`effect-arta serve\` generates images of 64 pixels for ${String(job.concurrency)} clients at once, from an emulator that draws in no time. The
     clients, the server and the emulator are processes of their own on one machine. A program that calls \`Arta.run\` and
     \`ImageFile.load\` does the same without a server, in turns with it (median of ${String(rounds)} rounds of ${String(job.generations)} generations, after ${String(warmUp.generations)} that are not counted).`,
    table(
      ["", "Generations per second", "Processor time per generation"],
      [row("library", result.library), row("`effect-arta serve`", result.server)]
    ),
    `The server takes **${ratioOf(result).toFixed(2)} times** the processor time of the library. It should take at most ${String(target)} times as much.`,
    `Measured with ${String(availableParallelism())} cores and Node ${process.versions.node.split(".")[0] ?? ""}.`
  ].join("\n\n")

execSync("npm run build", { cwd: fromRoot("."), stdio: ["ignore", "ignore", "inherit"] })
await build({
  entryPoints: ["cpu", "emulator", "library"].map((name) => fromRoot(`bench/server/${name}.ts`)),
  outdir: built,
  format: "esm",
  platform: "node",
  target: "node20"
})

const directory = await mkdtemp(join(tmpdir(), "effect-arta-server-"))
const children: Array<ChildProcess> = []
try {
  const emulator = start([`${built}/emulator.js`, dist])
  children.push(emulator)
  const { apiUrl, signUpUrl, tokenUrl } = (await messageOf(emulator)) as Environment
  const environment = (name: string) => ({
    ARTA_API_KEY: "k",
    ARTA_API_URL: apiUrl ?? "",
    ARTA_SIGN_UP_URL: signUpUrl ?? "",
    ARTA_TOKEN_URL: tokenUrl ?? "",
    ARTA_TOKEN_FILE: join(directory, `${name}.json`)
  })
  const library = await startLibrary(environment("library"))
  children.push(library.child)
  const server = await startServer(environment("server"))
  children.push(server.child)
  const result = await compare(library, server)
  const markdown = await format(report(result), { parser: "markdown", printWidth: 120, proseWrap: "always" })
  await writeFile(new URL("README.md", import.meta.url), markdown)
  console.log(markdown)
  if (ratioOf(result) > target) process.exitCode = 1
} finally {
  for (const child of children) child.kill("SIGKILL")
  await rm(directory, { recursive: true })
}
