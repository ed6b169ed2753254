import { execSync } from "node:child_process"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const version = "15.34.2"
const versionsUntil = "2026-11-01"

/** The directory of `firebase-tools`. Only these tests need its 240 MB, so it is not a dependency of the package. */
export const directory = fileURLToPath(new URL(`../../node_modules/.cache/firebase-tools-${version}`, import.meta.url))

/** Installs `firebase-tools` if it is missing. The date pins the versions of its dependencies. */
export default function install() {
  if (existsSync(join(directory, "node_modules", ".package-lock.json"))) return
  const options = `--prefix "${directory}" --before ${versionsUntil} --ignore-scripts --no-audit --no-fund`
  execSync(`npm install ${options} firebase-tools@${version}`, { stdio: "inherit" })
}
