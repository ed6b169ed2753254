import { readFileSync } from "node:fs"
import type { Template } from "../../shared/page/page.js"

const read = (name: string): string => readFileSync(new URL(`./page/${name}`, import.meta.url), "utf8")

// The build replaces this module with one that contains the texts: see .ci/inline-pages.mjs.
export const template: Template = {
  html: read("page.html"),
  style: read("../../../shared/page/base.css") + read("page.css"),
  script: ["../../../shared/page/elements", "data", "marks", "filter", "grid", "viewer", "live"]
    .map((name) => read(`${name}.js`))
    .join("\n")
}
