import { build } from "esbuild"
import { readdir } from "node:fs/promises"
import { fileURLToPath } from "node:url"

/** Makes the command's files, as `npm run build` does, but without types. */
export default async function setup() {
  const root = fileURLToPath(new URL("../../", import.meta.url))
  const sources = await readdir(`${root}/src`, { recursive: true })
  await build({
    entryPoints: sources.filter((file) => file.endsWith(".ts")).map((file) => `${root}/src/${file}`),
    outdir: `${root}/dist`,
    format: "esm",
    platform: "node",
    target: "node20",
    logLevel: "error"
  })
}
