import { readFileSync } from "node:fs"

const read = (name: string): string => readFileSync(new URL(`./page/${name}`, import.meta.url), "utf8")

export interface Template {
  readonly html: string
  readonly style: string
  readonly script: string
}

// The build replaces this module with one that contains the texts: see .ci/bundle-command.mjs.
export const template: Template = {
  html: read("page.html"),
  style: read("../../../shared/page/base.css") + read("page.css"),
  script: ["data", "marks", "filter", "grid", "viewer", "live"].map((name) => read(`${name}.js`)).join("\n")
}
