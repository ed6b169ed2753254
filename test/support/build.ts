import { execFileSync } from "node:child_process"
import { fileURLToPath } from "node:url"

const script = fileURLToPath(new URL("../../.ci/bundle-command.mjs", import.meta.url))

/** Builds the command as it is published. */
export default function setup() {
  execFileSync(process.execPath, [script], { stdio: "inherit" })
}
