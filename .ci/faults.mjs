// Generates docs/faults.md from the tests. A comment above a test names the fault that the test covers:
//
//   // fault: <section> | <fault> | <what a user sees>
//
// With --check, writes nothing and fails if docs/faults.md is stale.
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { format, resolveConfig } from "prettier"
import ts from "typescript"

const page = "docs/faults.md"
const sections = [
  "Options",
  "Sessions",
  "Store",
  "Submit",
  "Poll",
  "Download",
  "Process",
  "Batch database",
  "Batch runners",
  "Server",
  "Composition",
  "Whatever a service sends",
  "Secrets"
]
const marker = /^\/\/ fault: (.*)$/

const parse = (comment, title, place) => {
  const [section, fault, outcome, ...more] = comment.split("|").map((cell) => cell.trim())
  if (!sections.includes(section))
    throw new Error(`${place}: unknown section "${section}". Use one of: ${sections.join(", ")}.`)
  if (!fault || outcome === undefined || more.length > 0)
    throw new Error(`${place}: write "// fault: <section> | <fault> | <what a user sees>".`)
  return { section, fault, outcome, proof: `${place.replace(/^test\//, "")}: ${title}` }
}

/** The title of `it(title, …)` or `it.each(…)(title, …)`. */
const titleOf = (statement) => {
  const call = ts.isExpressionStatement(statement) && statement.expression
  const [title] = call && ts.isCallExpression(call) ? call.arguments : []
  if (title === undefined || !(ts.isStringLiteralLike(title) || ts.isTemplateExpression(title))) return undefined
  return title.getText().slice(1, -1)
}

const faultsIn = (file) => {
  const text = readFileSync(file, "utf8")
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const faults = []
  const visit = (node) => {
    const title = titleOf(node)
    for (const { end, pos } of title === undefined ? [] : (ts.getLeadingCommentRanges(text, node.pos) ?? [])) {
      const [, comment] = marker.exec(text.slice(pos, end)) ?? []
      if (comment !== undefined) faults.push(parse(comment, title, file))
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  const written = text.match(/^\s*\/\/ fault:/gm)?.length ?? 0
  if (written !== faults.length) throw new Error(`${file}: a "// fault:" comment is not above a test. Move it there.`)
  return faults
}

const faults = readdirSync("test", { recursive: true })
  .filter((file) => file.endsWith(".test.ts") || /^support\W(batch\W)?\w+Suite\.ts$/.test(file))
  .sort()
  .flatMap((file) => faultsIn(`test/${file}`))
const rows = sections.flatMap((section) => [
  `| **${section}** | | |`,
  ...faults
    .filter((fault) => fault.section === section)
    .map(({ fault, outcome, proof }) => `| ${fault} | ${proof} | ${outcome} |`)
])
const text = `# Faults

Each fault that the library survives, the test that covers it, and what a user sees. \`npm run docs:faults\` writes this
page from the \`// fault:\` comments above the tests.

| Fault | Test | What a user sees |
| --- | --- | --- |
${rows.join("\n")}
`
const formatted = await format(text, { ...(await resolveConfig(page)), parser: "markdown" })

if (!process.argv.includes("--check")) writeFileSync(page, formatted)
else if (readFileSync(page, "utf8") !== formatted) {
  console.error(`${page} is stale. Run: npm run docs:faults`)
  process.exitCode = 1
}
