// Inlines the HTML of the gallery into its module in dist, because the package must not read files of src at run time.
import { readFileSync, rmSync, writeFileSync } from "node:fs"

const html = readFileSync("src/cli/command/gallery/page.html", "utf8")
writeFileSync("dist/cli/command/gallery/template.js", `export const template = ${JSON.stringify(html)}\n`)
rmSync("dist/cli/command/gallery/template.js.map")
