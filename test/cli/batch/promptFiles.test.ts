import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import type { GenerateRequest } from "effect-arta"
import { fileURLToPath } from "node:url"
import { Line } from "../../../src/cli/shared/jsonOutput.js"
import { batch } from "../../support/batchWorld.js"
import { decodeLines } from "../../support/command.js"
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
})
