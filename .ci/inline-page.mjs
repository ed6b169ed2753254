// Puts the text of the gallery's page into its module in dist, so that the package reads no file of src.
import { readFileSync, rmSync, writeFileSync } from "node:fs"

const html = readFileSync("src/cli/command/gallery/page.html", "utf8")
writeFileSync("dist/cli/command/gallery/template.js", `export const template = ${JSON.stringify(html)}\n`)
rmSync("dist/cli/command/gallery/template.js.map")
