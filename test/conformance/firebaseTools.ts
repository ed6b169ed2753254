import { execSync } from "node:child_process"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const version = "15.34.2"
const versionsUntil = "2026-11-01"

/** Where `firebase-tools` is: 240 MB that only these tests need, so no dependency of the package. */
export const folder = fileURLToPath(new URL(`../../node_modules/.cache/firebase-tools-${version}`, import.meta.url))

/** Installs it where it is not there yet. The date pins the versions of what it depends on. */
export default function install() {
  if (existsSync(join(folder, "node_modules", ".package-lock.json"))) return
  const options = `--prefix "${folder}" --before ${versionsUntil} --ignore-scripts --no-audit --no-fund`
  execSync(`npm install ${options} firebase-tools@${version}`, { stdio: "inherit" })
}
