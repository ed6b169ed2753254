import { readdirSync, readFileSync } from "node:fs"

/** The README and the pages of docs. */
export const pages = ["README.md", ...readdirSync("docs").map((name) => `docs/${name}`)].filter((file) =>
  file.endsWith(".md")
)

/** The code blocks of a page in one language. */
export const blocks = (file: string, language: string) =>
  [...readFileSync(file, "utf8").matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\`$`, "gm"))].map(
    ([, code = ""]) => code
  )
