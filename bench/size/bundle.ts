import type { BuildOptions } from "esbuild"
import { build } from "esbuild"
import { gzipSync } from "node:zlib"

/** What a program imports, bundled for a browser. All sizes are bytes, minified and gzipped. */
export interface Sizes {
  readonly whole: number
  /** What the same imports from Effect cost without us. */
  readonly effect: number
  /** What the same imports from Effect and from our dependencies cost without us. */
  readonly others: number
}

/** More than this is not to be carried: 10 KiB. */
export const mostOwnBytes = 10_240

const effect = ["effect", "effect/*", "@effect/platform", "@effect/platform/*"]
const dependencies = ["fastest-levenshtein"]

const bundle = async (contents: string, options: BuildOptions): Promise<string> => {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: process.cwd() },
    bundle: true,
    format: "esm",
    // For a browser, an import of one of Node's own modules is an error.
    platform: "browser",
    alias: { "effect-arta": "./src/index.ts" },
    logLevel: "silent",
    ...options,
    write: false
  })
  return outputFiles[0]?.text ?? ""
}

const packed = async (contents: string): Promise<number> =>
  gzipSync(await bundle(contents, { minify: true }), { level: 9 }).length

const namesOf = (clause: string): ReadonlyArray<string> =>
  clause.split(",").map((name) => name.trim().split(" as ").at(-1) ?? "")

/** A program that uses of some packages just what another program uses of them. */
const sameImports = (code: string): string => {
  const imports = [...code.matchAll(/^import .* from ".*";$/gm)].map(([line]) => line)
  const used = imports.flatMap((line) => {
    const namespace = /^import \* as (\w+)/.exec(line)?.[1]
    return namespace === undefined
      ? namesOf(/\{(.*)\}/.exec(line)?.[1] ?? "")
      : [...code.matchAll(new RegExp(`\\b${namespace}\\.\\w+`, "g"))].map(([use]) => use)
  })
  return [...imports, `export const used = [${[...new Set(used)].join(", ")}]`].join("\n")
}

export const measure = async (entry: string): Promise<Sizes> => ({
  whole: await packed(entry),
  effect: await packed(sameImports(await bundle(entry, { external: effect }))),
  others: await packed(sameImports(await bundle(entry, { external: [...effect, ...dependencies] })))
})

export const everything = 'export { Arta } from "effect-arta"'

export const own = ({ others, whole }: Sizes): number => whole - others
