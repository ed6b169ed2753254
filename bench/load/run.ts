import { build } from "esbuild"
import type { ChildProcess } from "node:child_process"
import { execSync, fork } from "node:child_process"
import { once } from "node:events"
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import type { Counts, Surroundings, Usage } from "./measures.js"

const fromRoot = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))

const packages = ["replicate@1.4.0", "@fal-ai/client@1.10.1"]
const versionsUntil = "2026-11-01"
const directory = fromRoot("node_modules/.cache/load")
const programs = `${directory}/programs`

/** Builds the library, and what runs in other processes, and installs what only this benchmark needs. */
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
  const isInstalled = packages.every((name) => existsSync(`${directory}/node_modules/${name.replace(/@[^@]+$/, "")}`))
  if (isInstalled) return
  const options = `--prefix "${directory}" --before ${versionsUntil} --ignore-scripts --no-audit --no-fund --no-save`
  execSync(`npm install ${options} ${packages.join(" ")}`, { stdio: "inherit" })
}

const answerOf = async <A>(child: ChildProcess): Promise<A> => {
  const [answer] = (await Promise.race([
    once(child, "message"),
    once(child, "exit").then(([code]) => Promise.reject(new Error(`a process ended with ${String(code)}`)))
  ])) as [A]
  return answer
}

// Plain Node runs what was built: a loader for TypeScript would be part of what is measured.
const start = (program: string, ...args: ReadonlyArray<string>) =>
  fork(`${programs}/${program}.js`, args, { execArgv: [] })

export interface Run extends Usage {
  readonly counts: Counts
}

/** Runs a contender in a process against a new server in another. */
export const run = async (contender: string, generations: number): Promise<Run> => {
  const server = start("server")
  try {
    const surroundings: Surroundings = { server: await answerOf(server), dist: fromRoot("dist"), peers: directory }
    const usage = await answerOf<Usage>(start("contend", contender, String(generations), JSON.stringify(surroundings)))
    server.send("counts")
    return { ...usage, counts: await answerOf<Counts>(server) }
  } finally {
    server.disconnect()
  }
}
