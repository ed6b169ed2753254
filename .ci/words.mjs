// Fails if prose or an identifier contains a banned word, and prints its location and a replacement.
import { readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"

const banned = new Map([
  [/\b(sojourns?|forecasts?|paces?)\b/i, 'write "stage observation", "hazard model" or "interval"'],
  [/\b(pictures?)\b/i, 'write "image"'],
  [/\b(folders?)\b/i, 'write "directory"'],
  [/\b(answers?|answered|answering)\b/i, 'write "response"'],
  [/\b(gates?|slots?)\b/i, 'write "limiter" or "backend"'],
  [/\b(setbacks?|troubles?|cures?)\b/i, 'write "failure" or "recovery"'],
  [/\b(succession|graves?|bury|buries|buried)\b/i, 'write "takeover" or "stale lock"'],
  [/\b(patiently|briefly)\b/i, "write how often it retries"],
  [/\b(whoever|who asks)\b/i, "name the subject"],
  [/\banew\b/i, 'write "again"'],
  [/\b(unplaced|homeless|insides|forgetful|audience|tally|tallies)\b/i, "write the noun of the field"],
  [
    /\b(where there is none|of its own accord|the like)\b|(?<!soon )\bas it is\b|\b(comes to|makes no sense)\b/i,
    "say what happens"
  ]
])

const filesIn = (path) =>
  statSync(path).isDirectory()
    ? readdirSync(path, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
    : [path]

/** Splits identifiers into words: both `fetchPicture` and `PICTURE_SIZE` contain "picture". */
const asWords = (line) => line.replace(/(?<=[a-z0-9])(?=[A-Z])/g, " ").replaceAll("_", " ")

const found = ["src", "README.md", "docs"].flatMap(filesIn).flatMap((file) =>
  readFileSync(file, "utf8")
    .split("\n")
    .flatMap((line, index) =>
      [...banned].flatMap(([word, instead]) => {
        const match = word.exec(asWords(line))
        return match ? [`${file}:${index + 1}: "${match[0]}": ${instead}`] : []
      })
    )
)

for (const line of found) console.error(line)
if (found.length > 0) process.exitCode = 1
