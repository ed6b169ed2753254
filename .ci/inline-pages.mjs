import { build } from "esbuild"
import { pathToFileURL } from "node:url"

/** A module with the texts that a template reads. */
const inlined = async (path) => {
  const define = { "import.meta.url": JSON.stringify(pathToFileURL(path).href) }
  const { outputFiles } = await build({ entryPoints: [path], write: false, format: "esm", define })
  const { template } = await import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`)
  return `export const template = ${JSON.stringify(template)}\n`
}

/** Puts the pages into the bundle: the package does not contain the files that their templates read. */
export const inlinePages = {
  name: "inline-pages",
  setup(build) {
    build.onLoad({ filter: /(gallery|status|page)[\\/]template\.ts$/ }, async ({ path }) => ({
      contents: await inlined(path)
    }))
  }
}
