import { build } from "esbuild"
import { execSync } from "node:child_process"
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"

const fromRoot = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))

/** The directory of the built library. */
export const dist = fromRoot("dist")

/** The directory in which this benchmark installs the other clients. */
export const packages = fromRoot("node_modules/.cache/load")

/** The directory of the built programs of the child processes. */
export const programs = `${packages}/programs`

const clientPackages = ["replicate@1.4.0", "@fal-ai/client@1.10.1"]
const publishedBefore = "2026-11-01"

/** Builds the library and the programs of the child processes. */
export const buildPrograms = async (): Promise<void> => {
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
}

export const installClients = (): void => {
  const isInstalled = clientPackages.every((name) =>
    existsSync(`${packages}/node_modules/${name.replace(/@[^@]+$/, "")}`)
  )
  if (isInstalled) return
  const options = `--prefix "${packages}" --before ${publishedBefore} --ignore-scripts --no-audit --no-fund --no-save`
  execSync(`npm install ${options} ${clientPackages.join(" ")}`, { stdio: "inherit" })
}
