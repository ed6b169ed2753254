import { readFileSync } from "node:fs"

const read = (name: string): string => readFileSync(new URL(name, import.meta.url), "utf8")

export interface Template {
  readonly html: string
  readonly style: string
  readonly script: string
}

const scripts = ["dom", "api", "history", "generate", "cards", "viewer", "form", "main"]

// The build replaces this module with one that contains the texts: see .ci/inline-pages.mjs.
export const template: Template = {
  html: read("page.html"),
  // The look of the command's other pages.
  style: read("../../../cli/shared/page/base.css") + read("page.css"),
  script: scripts.map((name) => read(`${name}.js`)).join("\n")
}
