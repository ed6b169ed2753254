// Fails on words that this project does without, in prose and in names, and says where they are.
import { readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"

const banned = new Map([
  [/\bsojourns?\b/i, 'write "stage observation"'],
  [/\bpictures?\b/i, 'write "image"'],
  [/\bwhoever\b/i, "name the subject"],
  [/\banew\b/i, 'write "again"'],
  [/\bsetbacks?\b/i, 'write "failure" or "backoff"'],
  [/\bsuccessions?\b/i, 'write "takeover"'],
  [/\b(bury|buries|buried)\b/i, 'write "break the stale lock"']
])

const filesIn = (path) =>
  statSync(path).isDirectory()
    ? readdirSync(path, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
    : [path]

/** `fetchPicture` and `PICTURE_SIZE` are two words each. */
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
