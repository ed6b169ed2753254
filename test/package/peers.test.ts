import { describe, expect, it } from "@effect/vitest"
import { build } from "esbuild"
import { readFileSync } from "node:fs"

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional: boolean }>>
  readonly exports: Readonly<Record<string, unknown>>
}

const manifest = JSON.parse(readFileSync("package.json", "utf8")) as Manifest

const packageOf = (path: string) => /^(@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? path

/** The packages that an entry loads when it is imported. */
const packagesOf = async (entry: string): Promise<ReadonlyArray<string>> => {
  const { metafile } = await build({
    entryPoints: [`src${entry.slice(1)}/index.ts`],
    bundle: true,
    write: false,
    outdir: ".",
    metafile: true,
    format: "esm",
    platform: "node",
    packages: "external"
  })
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports)
  return [...new Set(imports.map(({ path }) => packageOf(path)))].filter((path) => !path.startsWith("node:")).sort()
}

const always = ["effect", "@effect/platform", "@effect/platform-node", ...Object.keys(manifest.dependencies)]

/** The optional peers that an entry may load. Every other entry loads none. */
const optionalPeers: Readonly<Record<string, ReadonlyArray<string>>> = {
  "./ai": ["@effect/ai"],
  "./batch": Object.keys(manifest.peerDependenciesMeta).filter((name) => !name.startsWith("@ai-sdk"))
}

describe("The entry", () => {
  it.each(Object.keys(manifest.exports).filter((entry) => entry !== "./package.json"))(
    "%s loads only packages that its users have",
    async (entry) => {
      const allowed = [...always, ...(optionalPeers[entry] ?? [])]
      const packages = await packagesOf(entry)
      expect(packages).toContain("effect")
      expect(packages.filter((name) => !allowed.includes(name))).toEqual([])
    }
  )

  it("effect-arta loads effect and @effect/platform only", async () => {
    expect((await packagesOf(".")).filter((name) => name.startsWith("@"))).toEqual(["@effect/platform"])
  })
})
