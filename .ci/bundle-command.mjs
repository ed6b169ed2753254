// Bundles the command with all its dependencies into dist/cli: a few files start three times as fast as hundreds.
// The command has its own copy of Effect, so `npx effect-arta` starts the same in a project with other versions of it.
import { build } from "esbuild"
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { inlinePages } from "./inline-pages.mjs"

const root = fileURLToPath(new URL("../", import.meta.url))
const outdir = join(root, "dist/cli")

rmSync(outdir, { recursive: true, force: true })
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: ["src/cli/main.ts"],
  outdir,
  bundle: true,
  // Each command loads its own chunks when it runs.
  splitting: true,
  chunkNames: "chunks/[name]-[hash]",
  plugins: [inlinePages],
  // better-sqlite3 is native, so a user installs it. pg loads pg-native only if it is asked to.
  external: ["better-sqlite3", "pg-native"],
  // The identifiers stay, so that a stack is readable without source maps, which would be three times the code.
  minifySyntax: true,
  minifyWhitespace: true,
  // Dependencies in CommonJS ask for `require`.
  banner: {
    js: 'import { createRequire as requireFrom } from "node:module"; const require = requireFrom(import.meta.url)'
  },
  tsconfig: "tsconfig.json",
  format: "esm",
  platform: "node",
  target: "node20.19",
  legalComments: "none",
  metafile: true,
  logLevel: "error"
})

/** The directories of the packages in the bundle. */
const packages = new Set(
  Object.values(metafile.outputs)
    .flatMap(({ inputs }) => Object.keys(inputs))
    .flatMap((input) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input) ?? [])
)

const licenseOf = (directory) => {
  const { license, name, version } = JSON.parse(readFileSync(join(root, directory, "package.json"), "utf8"))
  const file = readdirSync(join(root, directory)).find((name) => /^licen[cs]e/i.test(name))
  const text = file === undefined ? "" : `\n\n${readFileSync(join(root, directory, file), "utf8").trim()}`
  if (license === undefined && text === "") throw new Error(`${name} has no license`)
  return `${name} ${version} (${license})${text}\n`
}

writeFileSync(
  join(outdir, "LICENSES.txt"),
  ["The command contains these packages.\n", ...[...packages].sort().map(licenseOf)].join(`\n${"-".repeat(80)}\n\n`)
)
