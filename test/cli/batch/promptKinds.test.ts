import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { command } from "../../support/command.js"

/** What a dry run prints for a file, and its exit code. A dry run needs no key and no service. */
const dryRun = (name: string, content: string | Buffer, ...flags: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const directory = yield* fs.makeTempDirectoryScoped()
    yield* fs.writeFile(`${directory}/${name}`, Buffer.from(content))
    return yield* command(["batch", `${directory}/${name}`, "-o", `${directory}/images`, "--dry-run", ...flags])
  }).pipe(Effect.provide(NodeContext.layer))

type Says = ReadonlyArray<string | RegExp>

interface Case {
  readonly what: string
  readonly name: string
  readonly content: string | Buffer
  readonly flags?: ReadonlyArray<string>
  readonly says: Says
}

const read: ReadonlyArray<Case> = [
  {
    what: "a table with tabs and another name",
    name: "p.csv",
    content: 'Caption\tStyle\tNum-Images\na "red" cube, lit\twatercolor\t2\n',
    says: [/Row 1 \(line 2\): "a \\"red\\" cube, lit", Watercolor, 2 images/]
  },
  { what: "old Mac line ends", name: "p.txt", content: "a fox\ran owl\r", says: [/^2 rows/, /^Row 2: "an owl"/m] },
  {
    what: "UTF-16, big end first",
    name: "p.csv",
    content: Buffer.from("\ufeffprompt,seed\r\nkäfer,1\r\n", "utf16le").swap16(),
    says: [/"käfer".*seed 1/]
  },
  {
    what: "UTF-16 that --encoding names",
    name: "p.txt",
    content: Buffer.from("a fox\n", "utf16le"),
    flags: ["--encoding", "utf-16le"],
    says: [/^Row 1: "a fox"/m]
  },
  {
    what: "the columns without names that spreadsheets add",
    name: "p.csv",
    content: "prompt,seed,,\na fox,7,,\n",
    says: [/seed 7/]
  },
  {
    what: "a column without a name that --ignore-columns lists",
    name: "p.csv",
    content: ",prompt\n0,a fox\n",
    flags: ["--ignore-columns", "column 1"],
    says: [/"a fox"/]
  },
  {
    what: "a text with one column",
    name: "p.txt",
    content: 'prompt\n"a fox, asleep"\n',
    says: [/^1 row/, /"a fox, asleep"/]
  },
  {
    what: "a size as its ratio",
    name: "p.csv",
    content: "prompt,size,width,height\na,1792 × 1024,,\nb,,2520,1080\nc,1024x1024,512,512\n",
    says: [/"a", Flux, 1 image, 7:4/, /"b", Flux, 1 image, 21:9/, /"c", Flux, 1 image, 1:1/]
  },
  {
    what: "a list in an object",
    name: "p.json",
    content: '{\n "prompts": [\n  "a fox",\n  {"text": "an owl"}\n ]\n}',
    says: [/^Row 1 \(line 3\): "a fox"/m, /^Row 2 \(line 4\): "an owl"/m]
  },
  { what: "JSON lines in a .json file", name: "p.json", content: '{"prompt":"a"}\n"b"\n', says: [/^Row 2: "b"/m] },
  { what: "a single object over several lines", name: "p.jsonl", content: '{\n"prompt":"a"\n}\n', says: [/^1 row/] },
  { what: "JSON in a text", name: "p.txt", content: '{"prompt":"a fox","seed":3}\n', says: [/"a fox".*seed 3/] },
  {
    what: "prompts in braces and quotes",
    name: "p.txt",
    content:
      '{masterpiece} a fox\n[cat|dog] in rain\n"Hello" on a sign\na fox — asleep\n(fog:1.2) castle::2 <lora:x:1>\n',
    says: [/^5 rows/, /"\{masterpiece\} a fox"/, /a fox — asleep/, /castle::2 <lora:x:1>/]
  },
  {
    what: "flags with quotes, equals signs and dashes",
    name: "p.txt",
    content: `--prompt "a \\"red\\" fox --no more" --negative_prompt ""\nan owl's nest —ar 3:2 --no=people, cars\n`,
    says: [/"a \\"red\\" fox --no more".*no negative prompt/, /"an owl's nest".*3:2.*avoiding "people, cars"/]
  },
  {
    what: "defaults from flags, and a random seed of -1",
    name: "p.csv",
    content: 'prompt,seed,negative,steps\na,,,\nb,-1,"",9\n',
    flags: ["--seed", "5", "--negative", "fog", "--steps", "20", "-n", "2", "-m", "watercolor"],
    says: [
      /"a", Watercolor, 2 images, 1:1, 20 steps, guidance 7, seed 5, avoiding "fog"/,
      /"b", Watercolor, 2 images, 1:1, 9 steps, guidance 7, random seed, no negative prompt/
    ]
  },
  {
    what: "a data frame's integers",
    name: "p.csv",
    content: "prompt,seed,steps\na,7.0,20.0\n",
    says: [/20 steps.*seed 7/]
  },
  {
    what: "the number of rows, generations and images by model",
    name: "p.csv",
    content: `prompt,n,model\n${"a,2,\n".repeat(12)}b,1,watercolor\n`,
    says: [/^13 rows/, /^To submit: 13 generations, 25 images: Flux \(12\), Watercolor \(1\)/m, /^… and 3 rows more/m]
  }
]

const refused: ReadonlyArray<Case> = [
  {
    what: "UTF-16 without a mark",
    name: "p.csv",
    content: Buffer.from("prompt\na\n", "utf16le"),
    says: ["--encoding utf-16le"]
  },
  {
    what: "an unknown encoding",
    name: "p.txt",
    content: "a",
    flags: ["--encoding", "ansi"],
    says: ["--encoding ansi is unknown"]
  },
  { what: "a workbook", name: "p.xlsx", content: "PK\u0003\u0004...", says: [/workbook.*CSV/] },
  { what: "an unknown format", name: "p.yaml", content: "a fox", says: ["--format txt"] },
  { what: "a text without prompts", name: "p.txt", content: "\n \n", says: ["contains no prompts"] },
  { what: "a header without rows", name: "p.csv", content: "prompt,seed\n,\n", says: ["contains no prompts"] },
  {
    what: "a table without a header",
    name: "p.csv",
    content: "a fox\nan owl\n",
    says: [/^Line 1: .*a fox.* no known column/m, "--format txt"]
  },
  {
    what: "a table without a prompt column",
    name: "p.csv",
    content: "seed,steps\n1,2\n3,4\n",
    says: [/has a problem/, /^No column has the prompt/m]
  },
  {
    what: "an open quotation mark",
    name: "p.csv",
    content: 'prompt,n\na,1\n\n"b,1\nc,2\n',
    says: [/^Line 4: A quotation mark/m]
  },
  { what: "text after a quotation", name: "p.csv", content: 'prompt,n\n"a" b,1\n', says: [/^Line 2: .*twice/m] },
  {
    what: "a field too few",
    name: "p.csv",
    content: 'prompt,n\r\n"a\r\nb",1\r\nc\r\n',
    says: [/^Line 4 \(row 2\): 1 field for 2 columns/m]
  },
  {
    what: "two columns of one meaning",
    name: "p.csv",
    content: "prompt,Text\na,b\nc,d\n",
    says: [/has a problem/, "prompt and Text", "--ignore-columns Text"]
  },
  {
    what: "two keys of one meaning",
    name: "p.jsonl",
    content: '{"prompt":"a","steps":9,"numInferenceSteps":30}',
    says: [/^Line 1, key numInferenceSteps: .*key steps/m]
  },
  {
    what: "unknown keys once",
    name: "p.jsonl",
    content: '{"prompt":"a","modell":"x","id":1}\n{"prompt":"b","id":2}\n',
    says: [/has a problem/, "modell (model?), id", "--ignore-columns modell,id"]
  },
  {
    what: "numbers that are not digits as written",
    name: "p.csv",
    content: "prompt;seed;cfg;n\na;0x10;;\nb;1.000;;\nc;;50%;\nd;;;1,5\ne;12 345;;\n",
    says: [
      /^Line 2 .*seed: 0x10/m,
      /^Line 3 .*seed: 1\.000/m,
      /^Line 4 .*cfg: 50%/m,
      /^Line 5 .*n: 1,5/m,
      /^Line 6 .*seed: 12 345/m
    ]
  },
  {
    what: "a decimal comma beside commas",
    name: "p.csv",
    content: 'prompt,cfg\na,"7,5"\n',
    says: [/column cfg: 7,5 .*7\.5/]
  },
  {
    what: "numbers that JSON would round or convert",
    name: "p.jsonl",
    content: '{"prompt":"a","seed":1.5e3}\n{"prompt":"b","seed":12345678901234567890}\n{"prompt":"c","n":true}\n',
    says: [/^Line 1, key seed: 1\.5e3/m, /^Line 2, key seed: 12345678901234567890/m, /^Line 3, key n: true/m]
  },
  {
    what: "every invalid value of a row",
    name: "p.json",
    content: '[\n{"prompt":"a","n":0,"steps":-4,"model":"fluxx","seed":100000000}]',
    says: [/^Line 2 \(row 1\), key n: 0 /m, /key steps: -4 /, /key model: .*fluxx/, /key seed: 100000000 /]
  },
  {
    what: "too many images",
    name: "p.csv",
    content: "prompt,n\na,100000\n",
    says: [/100000.*at most 8, unless you add --no-limits/]
  },
  {
    what: "sizes that say two things",
    name: "p.csv",
    content: "prompt,size,width,height\na,,512,\nb,2:1,10,10\n",
    says: [/^Line 2 .*width.*height/m, /^Line 3 .*size: 2:1/m]
  },
  {
    what: "another time of day",
    name: "p.csv",
    content: "prompt,ratio\na,03:02:00\n",
    says: [/ratio: 03:02:00.*spreadsheet.*3:2/]
  },
  {
    what: "lines of other tools",
    name: "p.txt",
    content: 'a fox\nx --v 6 --tile\nx --ar\nx --seed 1 --seed 2\n--ar 3:2\n{"prompt":"x"}\n',
    says: [
      /^Line 2: .*--v, --tile/m,
      /^Line 3: --ar has no value/m,
      /^Line 4, --seed/m,
      /^Line 5: .*no prompt/m,
      /^Line 6: .*JSON/m
    ]
  },
  { what: "two prompts in one line", name: "p.txt", content: "a fox\u2028an owl\n", says: [/^Line 1: .*separator/m] },
  {
    what: "control characters that JSON escapes",
    name: "p.jsonl",
    content: '{"prompt":"a\\u0000b"}',
    says: [/^Line 1, key prompt: .*control/m]
  },
  {
    what: "JSON that is cut off",
    name: "p.json",
    content: '[{"prompt":"c"},\n{"prompt":"d"\n',
    says: [/^Line 3: .*not valid JSON/m]
  },
  {
    what: "one damaged line",
    name: "p.jsonl",
    content: '{"prompt":"a"}\nnonsense\nnull\n',
    says: [/^Line 2: nonsense/m, /^Line 3: null/m]
  },
  {
    what: "a chat without a question",
    name: "p.jsonl",
    content: '{"messages":[{"role":"system","content":"x"}]}',
    says: [/key messages: .*user message/]
  },
  {
    what: "an empty prompt",
    name: "p.csv",
    content: "prompt,n\n,2\n",
    says: [/^Line 2 \(row 1\): There is no prompt/m]
  },
  {
    what: "a text that only looks like a table",
    name: "p.txt",
    content: "text,watermark\na, b\n",
    says: ["watermark", "--literal"]
  },
  {
    what: "more problems than fit",
    name: "p.csv",
    content: `prompt,seed\n${"a,x\n".repeat(14)}`,
    says: [/has 14 problems/, /^Line 11 \(row 10\)/m, /^… and 4 more/m]
  },
  {
    what: "an invalid default",
    name: "p.txt",
    content: "a\n",
    flags: ["--seed", "100000000"],
    says: [/^--seed must be/m]
  }
]

describe.concurrent("the kinds of prompt files", () => {
  it.scopedLive.each(read)("reads $what", ({ content, flags = [], name, says }) =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* dryRun(name, content, ...flags)
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
      for (const text of says) expect(stdout).toMatch(text)
    })
  )

  it.scopedLive.each(refused)("refuses $what", ({ content, flags = [], name, says }) =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* dryRun(name, content, ...flags)
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" })
      for (const text of says) expect(stderr).toMatch(text)
    })
  )

  it.scopedLive("generates every line as written with --literal", () =>
    Effect.gen(function* () {
      const { stdout } = yield* dryRun("p.txt", 'prompt,seed\na --v 6\n{"x":1}\n# b\n', "--literal")
      expect(stdout).toMatch(/^4 rows/)
      expect(stdout).toContain('Row 1: "prompt,seed"')
      expect(stdout).toContain('Row 4: "# b"')
    })
  )
})
