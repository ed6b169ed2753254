import { execFileSync } from "node:child_process"
import { existsSync } from "node:fs"
import { join, resolve } from "node:path"

/**
 * Installs an exact version of a package that only the full suite needs into the cache, if it is missing. Returns the
 * directory of its `node_modules`.
 */
export const installed = (name: string, version: string): string => {
  const directory = resolve("node_modules/.cache", `${name.replace(/\W+/g, "-")}-${version}`)
  const modules = join(directory, "node_modules")
  if (!existsSync(join(modules, ".package-lock.json"))) {
    const options = ["--prefix", directory, "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"]
    execFileSync("npm", ["install", ...options, `${name}@${version}`], { stdio: "ignore" })
  }
  return modules
}
