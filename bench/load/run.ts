import { build } from "esbuild"
import type { ChildProcess } from "node:child_process"
import { execSync, fork } from "node:child_process"
import { once } from "node:events"
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import type { Environment, RequestCounts, Usage } from "./measures.js"

const fromRoot = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))

const clientPackages = ["replicate@1.4.0", "@fal-ai/client@1.10.1"]
const publishedBefore = "2026-11-01"
const directory = fromRoot("node_modules/.cache/load")
const programs = `${directory}/programs`

/** Builds the library and the programs of the child processes, and installs the other clients. */
export const prepare = async (): Promise<void> => {
  execSync("npm run build", { cwd: fromRoot("."), stdio: ["ignore", "ignore", "inherit"] })
  await build({
    entryPoints: [fromRoot("bench/load/*.ts"), fromRoot("bench/load/contenders/*.ts")],
    outbase: fromRoot("bench/load"),
    outdir: programs,
    format: "esm",
    platform: "node",
    target: "node20",
    logLevel: "error"
  })
  const isInstalled = clientPackages.every((name) =>
    existsSync(`${directory}/node_modules/${name.replace(/@[^@]+$/, "")}`)
  )
  if (isInstalled) return
  const options = `--prefix "${directory}" --before ${publishedBefore} --ignore-scripts --no-audit --no-fund --no-save`
  execSync(`npm install ${options} ${clientPackages.join(" ")}`, { stdio: "inherit" })
}

const messageFrom = async <A>(child: ChildProcess): Promise<A> => {
  const [message] = (await Promise.race([
    once(child, "message"),
    once(child, "exit").then(([code]) => Promise.reject(new Error(`a child process exited with code ${String(code)}`)))
  ])) as [A]
  return message
}

// Run built files on plain Node, because a TypeScript loader would distort the measurement.
const start = (program: string, ...args: ReadonlyArray<string>) =>
  fork(`${programs}/${program}.js`, args, { execArgv: [] })

export interface Run extends Usage {
  readonly counts: RequestCounts
}

/** Runs a contender in one new process, against a server in another. */
export const run = async (contender: string, generations: number): Promise<Run> => {
  const server = start("server")
  try {
    const environment: Environment = { server: await messageFrom(server), dist: fromRoot("dist"), packages: directory }
    const usage = await messageFrom<Usage>(
      start("contend", contender, String(generations), JSON.stringify(environment))
    )
    server.send("counts")
    return { ...usage, counts: await messageFrom<RequestCounts>(server) }
  } finally {
    server.disconnect()
  }
}
