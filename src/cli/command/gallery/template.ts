import { readFileSync } from "node:fs"

// The build replaces this module with one that contains the text: see .ci/bundle-command.mjs.
export const template: string = readFileSync(new URL("./page.html", import.meta.url), "utf8")
