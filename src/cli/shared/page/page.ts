import { createHash } from "node:crypto"

/** The files of a page. `<!-- NAME -->` in the HTML is where a part goes. */
export interface Template {
  readonly html: string
  readonly style: string
  readonly script: string
}

const hashOf = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`

/** Allows only the style and script of the page, and `more`. */
export const policyOf = ({ script, style }: Template, more: ReadonlyArray<string>): string =>
  [
    "default-src 'none'",
    `style-src ${hashOf(style)}`,
    `script-src ${hashOf(script)}`,
    ...more,
    "base-uri 'none'",
    "form-action 'none'"
  ].join("; ")

const dataStart = '<script type="application/json" id="data">'
const dataEnd = "</script>"

/** Data for the script. Neither "</script>" nor "<!--" may end it early. */
export const dataElement = (data: unknown): string =>
  `${dataStart}${JSON.stringify(data).replaceAll("<", "\\u003c")}${dataEnd}`

/** The data in a page that `fill` made. */
export const dataOf = (page: string): string => {
  const start = page.indexOf(dataStart) + dataStart.length
  return page.slice(start, page.indexOf(dataEnd, start))
}

/** Puts the parts into the template. They must be HTML already. */
export const fill = (template: Template, parts: Readonly<Record<string, string>>): string => {
  const all: Readonly<Record<string, string>> = {
    ...parts,
    // The hashes in the policy are those of the whole elements' content.
    style: `<style>${template.style}</style>`,
    script: `<script>${template.script}</script>`
  }
  // One pass with a function, so that a prompt with `$&` or a placeholder in it stays text.
  return template.html.replace(/<!-- (\w+) -->/g, (comment, name: string) => all[name] ?? comment)
}
