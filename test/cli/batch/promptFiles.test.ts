import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import type { GenerateRequest } from "effect-arta"
import { Fault } from "effect-arta/testing"
import { fileURLToPath } from "node:url"
import { parse } from "shell-quote"
import { Line } from "../../../src/cli/shared/jsonOutput.js"
import { batch } from "../../support/batchWorld.js"
import { command, decodeLines } from "../../support/command.js"
import { onPort, timeout } from "../../support/commandWorld.js"

const caseFile = (name: string) => fileURLToPath(new URL(`prompts/${name}`, import.meta.url))

type Sent = Partial<GenerateRequest.GenerateRequest>

const standardNegative = "blurry, deformed hands, ugly"

const ignoreThree = ["--ignore-columns", "image_name,part_id,sampler"]

const sent: ReadonlyArray<{ file: string; flags?: ReadonlyArray<string>; requests: ReadonlyArray<Sent> }> = [
  {
    file: "excel-semicolon.csv",
    requests: [
      { prompt: "a fox; in snow", negativePrompt: "blurry", guidanceScale: 7.5, seed: 41, numInferenceSteps: 20 },
      {
        prompt: "an owl on a post",
        negativePrompt: standardNegative,
        guidanceScale: 6,
        seed: 42,
        numInferenceSteps: 30
      }
    ]
  },
  {
    file: "excel-unicode.txt",
    requests: [
      { prompt: "a harbour at dusk", seed: 7 },
      { prompt: "ein Leuchtturm im Nebel", seed: 8 }
    ]
  },
  {
    file: "excel-sep.csv",
    requests: [
      { prompt: "a fox", seed: 1 },
      { prompt: "an owl", seed: 2 }
    ]
  },
  {
    file: "excel-ansi.csv",
    flags: ["--encoding", "windows-1252"],
    requests: [{ prompt: "café terrace at night", seed: 5 }]
  },
  {
    file: "benchmark.tsv",
    flags: ["--ignore-columns", "Category,Challenge,Note"],
    requests: [{ prompt: "a red cube on a blue table" }, { prompt: "four green apples in a bowl" }]
  },
  {
    file: "metadata.csv",
    flags: ignoreThree,
    requests: [
      {
        prompt: "a stone bridge, morning mist",
        seed: 1234,
        numInferenceSteps: 50,
        guidanceScale: 7,
        aspectRatio: "2:3"
      },
      { prompt: "an old tram in the rain", seed: 1235, numInferenceSteps: 30, guidanceScale: 9.5, aspectRatio: "3:2" }
    ]
  },
  { file: "dataset.jsonl", requests: [{ prompt: "a windmill by a canal" }, { prompt: "a bowl of lemons" }] },
  {
    file: "batch-api.jsonl",
    requests: [
      { prompt: "a paper boat", model: "F Dev", n: 2, aspectRatio: "2:3" },
      { prompt: "a tin robot", model: "Flux", n: 1 }
    ]
  },
  { file: "chat.jsonl", requests: [{ prompt: "a snail on a leaf" }] },
  {
    file: "array.json",
    requests: [
      { prompt: "a fox", seed: 1, negativePrompt: standardNegative },
      { prompt: "an owl", seed: 2, negativePrompt: "" }
    ]
  },
  {
    file: "webui-lines.txt",
    requests: [
      { prompt: "a fox in the snow", negativePrompt: "blurry", numInferenceSteps: 20, guidanceScale: 6.5, seed: 11 },
      { prompt: "an owl on a post", aspectRatio: "3:2", n: 2 }
    ]
  },
  { file: "comments.txt", flags: ["--comments"], requests: [{ prompt: "a snowy field" }] },
  {
    file: "comments.txt",
    flags: ["--literal"],
    requests: [{ prompt: "# for the calendar" }, { prompt: "a snowy field" }, { prompt: "#2 a frozen lake" }]
  },
  {
    file: "renamed-csv.txt",
    requests: [
      { prompt: "a fox, sleeping", seed: 1 },
      { prompt: "an owl", seed: 2 }
    ]
  },
  { file: "emptied-negative.jsonl", requests: [{ prompt: "a fox", negativePrompt: "" }] }
]

const refused: ReadonlyArray<{ file: string; says: ReadonlyArray<string | RegExp> }> = [
  { file: "excel-ansi.csv", says: ["--encoding"] },
  { file: "benchmark.tsv", says: ["Category, Challenge, Note", "--ignore-columns Category,Challenge,Note"] },
  {
    file: "metadata.csv",
    says: ["image_name, part_id, sampler", "--ignore-columns image_name,part_id,sampler"]
  },
  { file: "midjourney-lines.txt", says: [/^Line 2: .*--stylize/m] },
  { file: "comments.txt", says: [/^Line 1: /m, /^Line 4: /m, "--comments", "--literal"] },
  { file: "infotext.txt", says: [/^Line 2: /m, /^Line 3: /m, "--literal"] },
  { file: "rounded-seed.csv", says: [/^Line 2 \(row 1\), column seed: .*1\.23E\+07/m] },
  { file: "time-ratio.csv", says: [/^Line 2 \(row 1\), column aspect: .*16:09.*spreadsheet/m] },
  { file: "lines-and-rows.csv", says: [/^Line 5 \(row 2\), column seed: .*zz/m] },
  { file: "unquoted-comma.csv", says: [/^Line 2 \(row 1\): 3 fields for 2 columns/m, /comma.*quotes/] },
  { file: "two-typos.csv", says: ["promt (prompt?), sead (seed?), stepz (steps?)", /has a problem/] },
  { file: "nul.txt", says: [/^Line 1 column 2: .*control character/m, /^Line 2 column 4: .*control character/m] }
]

const shellWords = (line: string): ReadonlyArray<string> =>
  parse(line).flatMap((word) => (typeof word === "string" ? [word] : []))

/** Rows as the journals of earlier versions have them: a change of these keys would pay for the rows again. */
const journaled = [
  {
    name: "p.csv",
    content: 'prompt,model,n,negative,aspect,guidance,seed\n"an owl, at night",watercolor,2,fog,16:9,7.5,7\n',
    key: "aaac3ea920e78dd4-1"
  },
  { name: "p.jsonl", content: '{"prompt":" a bat ","steps":"9"}\n', key: "7d308ae9613e4668-1" },
  { name: "p.txt", content: "a fox\n", key: "bf6e2dd23bab9b3f-1" },
  { name: "p.jsonl", content: '{"messages":[{"role":"user","content":"a bee"}]}\n', key: "96919741a75a2a20-1" }
]

describe.concurrent("a prompt file that people have", { timeout }, () => {
  it.scopedLive.each(sent)("sends what $file with $flags means", ({ file, flags = [], requests }) =>
    Effect.gen(function* () {
      const { emulator, run } = yield* batch
      const { code, stderr, stdout } = yield* run(caseFile(file), "--json", "-c", "1", ...flags)
      expect({ code, stderr: stderr.replace(/^\d+ of .*\n/m, "") }).toEqual({ code: 0, stderr: "" })
      const submitted = (yield* decodeLines(Line, stdout)).flatMap((line) => (line._tag === "Submitted" ? [line] : []))
      expect(submitted.map(({ request }) => request)).toMatchObject(requests)
      expect((yield* emulator.counts).submit).toBe(requests.length)
    }).pipe(onPort())
  )

  it.scopedLive.each(refused)("refuses $file before anything is sent", ({ file, says }) =>
    Effect.gen(function* () {
      const { emulator, run } = yield* batch
      const { code, stderr } = yield* run(caseFile(file))
      expect(code).toBe(2)
      for (const text of says) expect(stderr).toMatch(text)
      expect(yield* emulator.requests).toEqual([])
    }).pipe(onPort())
  )

  it.scopedLive("sends the other line of a file with an unknown flag", () =>
    Effect.gen(function* () {
      const { emulator, file, fs, run } = yield* batch
      const [first = ""] = (yield* fs.readFileString(caseFile("midjourney-lines.txt"))).split("\n")
      const { code, stdout } = yield* run(yield* file("p.txt", `${first}\n`), "--json")
      expect(code).toBe(0)
      const [submitted] = yield* decodeLines(Line, stdout)
      expect(submitted).toMatchObject({
        request: { prompt: "a lighthouse in a storm", aspectRatio: "16:9", seed: 123, negativePrompt: "people" }
      })
      expect((yield* emulator.counts).submit).toBe(1)
    }).pipe(onPort())
  )

  it.scopedLive.each(journaled)(
    "finds the row of $content in the journal of an earlier version",
    ({ content, key, name }) =>
      Effect.gen(function* () {
        const { file, fs, images } = yield* batch
        const request = { prompt: "any", seed: 1 }
        const lines = [
          { _tag: "Submitting", key, request, name: "any-1" },
          { _tag: "Submitted", key, recordId: "r-1" },
          { _tag: "Saved", key, files: ["any-1-0.png"] }
        ]
        yield* fs.makeDirectory(images)
        yield* fs.writeFileString(
          `${images}/effect-arta.jsonl`,
          lines.map((line) => `${JSON.stringify(line)}\n`).join("")
        )
        yield* fs.writeFileString(`${images}/any-1-0.png`, "")
        const { stdout } = yield* command(["batch", yield* file(name, content), "-o", images, "--dry-run"])
        expect(stdout).toMatch(/^To submit: 0 generations/m)
        expect(stdout).toMatch(/^Already done: 1 row/m)
      }).pipe(onPort())
  )

  it.scopedLive("repeats the flags that say what the file means in the command that retries", () =>
    Effect.gen(function* () {
      const { emulator, env, file, run } = yield* batch
      yield* emulator.inject(Fault.failGeneration("NSFW"))
      const path = yield* file("p.csv", "prompt;id\na fox;1\n")
      const flags = ["--ignore-columns", "id", "--steps", "12", "--negative", "", "--comments"]
      const { stderr } = yield* run(path, ...flags)
      const retry = /To retry only these rows: effect-arta (.*)/.exec(stderr)?.[1] ?? ""
      const again = yield* command(shellWords(retry), { env })
      expect(again.code).toBe(0)
      expect((yield* emulator.counts).submit).toBe(2)
    }).pipe(onPort())
  )

  it.scopedLive("prints the number of images before a large batch without a terminal", () =>
    Effect.gen(function* () {
      const { emulator, file, run } = yield* batch
      yield* emulator.inject(Fault.respond("submit", 422, { body: { detail: "No such style" } }))
      const { stderr } = yield* run(yield* file("p.txt", "a fox\n"), "-n", "101", "--no-limits")
      expect(stderr).toMatch(/^This batch generates 101 images in 1 generation\./)
    }).pipe(onPort())
  )
})
