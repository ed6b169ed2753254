// Writes the library to dist: a file for each public module, and chunks with what these share. Node takes longer to find
// a hundred small files than to run them. Each namespace is still a module, so bundlers drop those that nobody uses.
import { build } from "esbuild"
import { readdirSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { inlinePages } from "./inline-pages.mjs"

const root = fileURLToPath(new URL("../", import.meta.url))

const entries = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
  .filter((file) => /^(\w[\w-]*[\\/])?index\.ts$/.test(file))
  .map((file) => join("src", file))

const publicModules = entries.flatMap((entry) =>
  [...readFileSync(join(root, entry), "utf8").matchAll(/^export .* from "(.+)\.js"$/gm)].map(([, path]) =>
    join(dirname(entry), `${path}.ts`)
  )
)

const options = {
  absWorkingDir: root,
  outdir: "dist",
  outbase: "src",
  tsconfig: "src/tsconfig.json",
  format: "esm",
  target: "node20.19",
  sourcemap: true,
  // The package contains the sources.
  sourcesContent: false,
  logLevel: "warning"
}

await build({ ...options, entryPoints: entries })
await build({
  ...options,
  entryPoints: publicModules,
  bundle: true,
  packages: "external",
  splitting: true,
  chunkNames: "chunks/[hash]",
  plugins: [inlinePages]
})
