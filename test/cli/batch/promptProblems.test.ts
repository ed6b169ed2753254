import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Array, Effect } from "effect"
import { command } from "../../support/command.js"

const names = "Known names are prompt, negative, seed, steps, guidance, aspect, width, height, n and model."

const ignore = (list: string) => `${names} To leave out the unknown ones: --ignore-columns ${list}`

const flags =
  "Flags of a line can be --prompt, --negative_prompt, --steps, --cfg_scale, --seed, --width, --height, --n_iter, --ar, " +
  "--aspect, --no. Remove the others, or add --literal to generate every line as written."

const notSeed = "x is not a number. Write digits, such as 20."

interface Case {
  readonly what: string
  readonly file: string
  readonly content: string
  readonly args?: ReadonlyArray<string>
  readonly says: ReadonlyArray<string>
}

const cases: ReadonlyArray<Case> = [
  {
    what: "a width or a height alone, and sizes of nothing",
    file: "p.jsonl",
    content: [
      '{"prompt":"w","width":100}',
      '{"prompt":"x","height":100}',
      '{"prompt":"y","width":0,"height":5}',
      '{"prompt":"z","width":5,"height":-5}'
    ].join("\n"),
    says: [
      "4 problems:",
      "Line 1, key width: A width needs a height too.",
      "Line 2, key height: A height needs a width too.",
      "Line 3, key width: Width and height must be greater than 0.",
      "Line 4, key width: Width and height must be greater than 0."
    ]
  },
  {
    what: "columns with one meaning",
    file: "p.csv",
    content: "prompt,text\na,b\n",
    says: [
      "a problem:",
      "The columns prompt and text have the same meaning.",
      "Leave out one of them, for example: --ignore-columns text"
    ]
  },
  {
    what: "columns with one name",
    file: "p.csv",
    content: "prompt,Prompt\na,b\n",
    says: ["a problem:", "The columns prompt and Prompt have the same meaning.", "Remove one of them."]
  },
  {
    what: "keys with one meaning",
    file: "p.jsonl",
    content: '{"prompt":"a","seed":1,"Seed":2}\n',
    says: ["a problem:", "Line 1, key Seed: It has the same meaning as key seed."]
  },
  {
    what: "unknown columns",
    file: "p.csv",
    content: "prompt,colour,mood\na,b,c\n",
    says: ["a problem:", "Unknown columns: colour, mood.", ignore("colour,mood")]
  },
  {
    what: "a column without a name",
    file: "p.csv",
    content: ",,prompt\n1,,a\n",
    says: ["a problem:", "Unknown column: column 1.", ignore("'column 1'")]
  },
  {
    what: "a header of unknown names",
    file: "p.csv",
    content: "colour,mood\nb,c\n",
    says: [
      "a problem:",
      "Line 1: The first line, colour, mood, names no known column.",
      "Start a table with a header line, such as prompt,seed. For a text with a prompt per line, add --format txt."
    ]
  },
  {
    what: "a table without prompts",
    file: "p.csv",
    content: "seed,steps\n1,2\n",
    says: ["a problem:", "No column has the prompt, only seed, steps.", "Name a column prompt."]
  },
  {
    what: "rows with too few and too many fields",
    file: "p.csv",
    content: "prompt,seed\na\nb,1,2\nc,3,\n",
    says: [
      "2 problems:",
      "Line 2 (row 1): 1 field for 2 columns.",
      "Line 3 (row 2): 3 fields for 2 columns.",
      "Write a delimiter for each empty field too.",
      'Put a text with a comma or another delimiter in quotes: "a fox, in the snow".'
    ]
  },
  {
    what: "too many fields for one column",
    file: "p.csv",
    content: "prompt\na\nb,c,d\n",
    says: [
      "a problem:",
      "Line 3 (row 2): 3 fields for 1 column.",
      'Put a text with a comma or another delimiter in quotes: "a fox, in the snow".'
    ]
  },
  {
    what: "a quotation mark without an end",
    file: "p.csv",
    content: 'prompt,seed\n\n  "a,7\nb,8\n',
    says: ["a problem:", "Line 3: A quotation mark opens a text, and none closes it."]
  },
  {
    what: "a value after comments, by its line",
    file: "p.csv",
    content: "# a note\n\n# more\nprompt,seed\n# x\na fox,7\n\n# y\nan owl,x\n",
    args: ["--comments"],
    says: ["a problem:", `Line 9 (row 2), column seed: ${notSeed}`]
  },
  {
    what: "a value after blank lines, by its line",
    file: "p.tsv",
    content: "\n \nprompt\tseed\n\na fox\t7\n  \nan owl\tx\n",
    says: ["a problem:", `Line 7 (row 2), column seed: ${notSeed}`]
  },
  {
    what: "a value after a line that names the delimiter, by its line",
    file: "p.csv",
    content: "sep=;\nprompt;seed\na;x\n",
    says: ["a problem:", `Line 3 (row 1), column seed: ${notSeed}`]
  },
  {
    what: "rows of JSON, by their lines",
    file: "p.json",
    content:
      '[\n  {"prompt": "a", "seed": 1},\n\n  {"prompt": "b",\n "messages": []},\n  "c", ["d"],\n  {"prompt": "e", "seed": "x"}\n]\n',
    says: [
      "2 problems:",
      'Line 6 (row 4): ["d"] is not a JSON object or a text.',
      `Line 7 (row 5), key seed: ${notSeed}`
    ]
  },
  {
    what: "other keys beside a list of rows",
    file: "p.json",
    content: '{"name": "x", "rows": [{"prompt":"a"},{"prompt":"b","seed":"x"}]}',
    says: ["2 problems:", "Unknown key: name.", `Line 1 (row 2), key seed: ${notSeed}`, ignore("name")]
  },
  {
    what: "two lists of rows",
    file: "p.json",
    content: '{"rows":[],"more":[]}',
    says: ["a problem:", "Unknown keys: rows, more.", ignore("rows,more")]
  },
  {
    what: "invalid JSON, by its line",
    file: "p.json",
    content: '[\n{"prompt":"a"},\n{"prompt":"b",}\n]',
    says: ["a problem:", "Line 3: This is not valid JSON."]
  },
  {
    what: "a control character",
    file: "p.txt",
    content: "a \u001b fox\n",
    says: [
      "a problem:",
      "Line 1 column 3: The control character U+001B.",
      "Remove the control characters. If the text is in another encoding, name it with --encoding."
    ]
  },
  {
    what: "flags of lines",
    file: "p.txt",
    content: 'a fox --foo 1 --bar 2\nb --seed 7 --no "dog" cat\n--seed 7\nan owl --steps x --seed 8\na hare --seed\n',
    says: [
      "5 problems:",
      "Line 1: Unknown flags: --foo, --bar.",
      "Line 2: cat follows a quoted value. Quote all of the value.",
      "Line 3: There is no prompt.",
      `Line 4, --steps: ${notSeed}`,
      "Line 5: --seed has no value.",
      flags
    ]
  },
  {
    what: "the first ten of many problems",
    file: "p.txt",
    content: Array.makeBy(12, (index) => `a fox --foo${String(index)} 1`).join("\n"),
    says: [
      "12 problems:",
      ...Array.makeBy(10, (index) => `Line ${String(index + 1)}: Unknown flag: --foo${String(index)}.`),
      "… and 2 more.",
      flags
    ]
  },
  {
    what: "unknown models",
    file: "p.csv",
    content: "prompt,model\na,fluxx\n",
    says: [
      "a problem:",
      'Line 2 (row 1), column model: There is no model "fluxx". Did you mean flux, f-dev, f-pro?',
      "See all models: effect-arta models"
    ]
  }
]

describe.concurrent("A file of prompts", () => {
  it.scopedLive.each(cases)("is refused with $what", ({ args = [], content, file, says }) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped()
      yield* fs.writeFileString(`${directory}/${file}`, content)
      const images = ["-o", `${directory}/images`]
      const { code, stderr, stdout } = yield* command([
        "batch",
        `${directory}/${file}`,
        ...images,
        "--dry-run",
        ...args
      ])
      expect(stderr).toBe(`Nothing was sent, because ${directory}/${file} has ${says.join("\n")}\n`)
      expect(stdout).toBe("")
      expect(code).toBe(2)
    }).pipe(Effect.provide(NodeContext.layer))
  )
})
