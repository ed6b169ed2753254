import type { BuildOptions } from "esbuild"
import { build } from "esbuild"
import { gzipSync } from "node:zlib"

/** Sizes of browser bundles in bytes, minified and gzipped. */
export interface Sizes {
  readonly total: number
  /** Only what the program imports from Effect. */
  readonly effect: number
  /** Only what the program imports from Effect and from our other dependencies. */
  readonly external: number
}

/** The size limit of our own code: 17.25 KiB. */
export const mostOwnBytes = 17_664

const effectPackages = ["effect", "effect/*", "@effect/platform", "@effect/platform/*"]
const otherDependencies = ["fastest-levenshtein"]

/** Bundles a program for a browser. */
export const bundle = async (contents: string, options: BuildOptions) => {
  const { metafile, outputFiles } = await build({
    stdin: { contents, resolveDir: process.cwd() },
    bundle: true,
    format: "esm",
    // Fails if the code imports a Node built-in.
    platform: "browser",
    alias: { "effect-arta": "./src/index.ts" },
    logLevel: "silent",
    metafile: true,
    ...options,
    write: false
  })
  return { code: outputFiles[0]?.text ?? "", metafile }
}

const gzippedSize = async (contents: string): Promise<number> =>
  gzipSync((await bundle(contents, { minify: true })).code, { level: 9 }).length

const localNames = (clause: string): ReadonlyArray<string> =>
  clause.split(",").map((name) => name.trim().split(" as ").at(-1) ?? "")

/** A program that uses only what another one uses of some packages. */
const importsOnly = async (contents: string, external: ReadonlyArray<string>): Promise<string> => {
  const { code } = await bundle(contents, { external: [...external] })
  const imports = [...code.matchAll(/^import .* from ".*";$/gm)].map(([line]) => line)
  const used = imports.flatMap((line) => {
    const namespace = /^import \* as (\w+)/.exec(line)?.[1]
    return namespace === undefined
      ? localNames(/\{(.*)\}/.exec(line)?.[1] ?? "")
      : [...code.matchAll(new RegExp(`\\b${namespace}\\.\\w+`, "g"))].map(([use]) => use)
  })
  return [...imports, `export const used = [${[...new Set(used)].join(", ")}]`].join("\n")
}

export const measure = async (entry: string): Promise<Sizes> => ({
  total: await gzippedSize(entry),
  effect: await gzippedSize(await importsOnly(entry, effectPackages)),
  external: await gzippedSize(await importsOnly(entry, [...effectPackages, ...otherDependencies]))
})

export const everything = 'export { Arta } from "effect-arta"'

export const own = ({ external, total }: Sizes): number => total - external
