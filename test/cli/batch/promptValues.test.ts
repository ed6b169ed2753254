import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { command } from "../../support/command.js"

/** What a dry run prints for a file of one row. */
const dryRun = (row: object) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const file = `${yield* fs.makeTempDirectoryScoped()}/p.jsonl`
    yield* fs.writeFileString(file, JSON.stringify({ prompt: "a fox", ...row }))
    return yield* command(["batch", file, "-o", `${file}.images`, "--dry-run"])
  }).pipe(Effect.provide(NodeContext.layer))

const accepted: ReadonlyArray<readonly [object, RegExp]> = [
  [{ steps: "20" }, / 20 steps/],
  [{ steps: " 20.0 " }, / 20 steps/],
  [{ steps: 20 }, / 20 steps/],
  [{ steps: "" }, / 30 steps/],
  [{ steps: null }, / 30 steps/],
  [{ cfg: ".5" }, /guidance 0\.5/],
  [{ cfg: "7.25" }, /guidance 7\.25/],
  [{ cfg: 12 }, /guidance 12/],
  [{ seed: "-1" }, /random seed/],
  [{ seed: "0" }, /seed 0/],
  [{ size: "16:9" }, / 16:9/],
  [{ size: "512x768" }, / 2:3/],
  [{ size: "1024 × 1024" }, / 1:1/],
  [{ size: "1024*576" }, / 16:9/],
  [{ size: "1024X576" }, / 16:9/],
  [{ size: "1792x768" }, / 21:9/],
  [{ size: "768x1792" }, / 9:21/],
  [{ width: 768, height: 1024 }, / 3:4/],
  [{ negative: "fog" }, /avoiding "fog"/],
  [{ negative: " " }, /no negative prompt/],
  [{ style: "watercolor" }, / Watercolor/],
  [{ prompt: " a bat\tat night " }, /a bat/]
]

const example = (field: string) => (field === "cfg" ? "7.5" : "20")
const rounded = "is a rounded number, as spreadsheets shorten long ones. Write all of its digits."
const noRatio = "is not an aspect ratio. Write width:height, such as 16:9, or a size such as 1024x768."
const separated = (field: string) => `may have separators. Write digits only, such as ${example(field)}.`
const noNumber = (field: string) => `is not a number. Write digits, such as ${example(field)}.`
const time = (ratio: string) =>
  `is a time of day: a spreadsheet changed the ratio. Format the column as text and write ${ratio}.`

const refused: ReadonlyArray<readonly [object, string, string]> = [
  [{ seed: "1.2E+5" }, "seed", `1.2E+5 ${rounded}`],
  [{ seed: "-1,2e5" }, "seed", `-1,2e5 ${rounded}`],
  [{ seed: "1e5 x" }, "seed", `1e5 x ${noNumber("seed")}`],
  [{ seed: "x1e5" }, "seed", `x1e5 ${noNumber("seed")}`],
  [{ cfg: "50%" }, "cfg", "50% is a percentage. Write a plain number such as 7.5."],
  [{ steps: "50%" }, "steps", "50% is a percentage. Write a plain number such as 20."],
  [{ steps: "%5" }, "steps", `%5 ${noNumber("steps")}`],
  [{ seed: "1'000'000" }, "seed", `1'000'000 ${separated("seed")}`],
  [{ cfg: "+1.000.000" }, "cfg", `+1.000.000 ${separated("cfg")}`],
  [{ seed: "a1.000" }, "seed", `a1.000 ${noNumber("seed")}`],
  [{ seed: "1.000a" }, "seed", `1.000a ${noNumber("seed")}`],
  [{ steps: "20.5" }, "steps", `20.5 ${separated("steps")}`],
  [{ steps: "20.00" }, "steps", `20.00 ${separated("steps")}`],
  [{ steps: "x20" }, "steps", `x20 ${noNumber("steps")}`],
  [{ steps: "20x" }, "steps", `20x ${noNumber("steps")}`],
  [{ seed: "90071992547409911" }, "seed", "90071992547409911 is too large."],
  [{ cfg: "7." }, "cfg", `7. ${noNumber("cfg")}`],
  [{ cfg: "x7" }, "cfg", `x7 ${noNumber("cfg")}`],
  [{ cfg: "7x" }, "cfg", `7x ${noNumber("cfg")}`],
  [{ cfg: "7,25" }, "cfg", "7,25 has a decimal comma. Write 7.25."],
  [{ cfg: "x7,5" }, "cfg", `x7,5 ${noNumber("cfg")}`],
  [{ cfg: "7,5x" }, "cfg", `7,5x ${noNumber("cfg")}`],
  [{ size: "wide" }, "size", `wide ${noRatio}`],
  [{ size: "0:9" }, "size", `0:9 ${noRatio}`],
  [{ size: "0x9" }, "size", `0x9 ${noRatio}`],
  [{ size: "9x0" }, "size", `9x0 ${noRatio}`],
  [{ size: "x16:9" }, "size", `x16:9 ${noRatio}`],
  [{ size: "9x9x9" }, "size", `9x9x9 ${noRatio}`],
  [{ size: "03:02" }, "size", `03:02 ${time("3:2")}`],
  [{ size: "16:09:00" }, "size", `16:09:00 ${time("16:9")}`],
  [{ size: "4:03 PM" }, "size", `4:03 PM ${time("4:3")}`],
  [{ size: "4:03am" }, "size", `4:03am ${time("4:3")}`],
  [{ size: "4:03 pmx" }, "size", `4:03 pmx ${noRatio}`],
  [{ steps: true }, "steps", "true is not a number."],
  [{ cfg: [7] }, "cfg", "[7] is not a number."],
  [{ style: 7 }, "style", "7 is not a text."],
  [{ negative: false }, "negative", "false is not a text."],
  [{ style: "a\u0007b" }, "style", "a\\u0007b has control characters. Remove them."],
  [{ steps: "\u202eb\nc\td" }, "steps", `\\u202eb c d ${noNumber("steps")}`],
  [{ prompt: undefined, messages: "hello" }, "messages", "hello is not a list of messages."],
  [{ prompt: " " }, "prompt", "The prompt is empty."],
  [{ steps: "9".repeat(70) }, "steps", `${"9".repeat(60)}… is too large.`],
  [{ steps: "x".repeat(60) }, "steps", `${"x".repeat(60)} is not a number.`]
]

describe("the values of a prompt file", () => {
  it.scopedLive("are used as a person would read them", () =>
    Effect.gen(function* () {
      for (const [row, shows] of accepted) {
        const { code, stderr, stdout } = yield* dryRun(row)
        expect({ code, stderr }, JSON.stringify(row)).toEqual({ code: 0, stderr: "" })
        expect(stdout).toMatch(shows)
      }
    })
  )

  it.scopedLive("that could mean something else are refused, with what to write instead", () =>
    Effect.gen(function* () {
      for (const [row, name, says] of refused) {
        const { code, stderr, stdout } = yield* dryRun(row)
        expect({ code, stdout }, JSON.stringify(row)).toEqual({ code: 2, stdout: "" })
        expect(stderr).toContain(`Line 1, key ${name}: ${says}`)
      }
    })
  )

  it.scopedLive("whose key is unknown and would act on the terminal are refused without it", () =>
    Effect.gen(function* () {
      const { code, stderr } = yield* dryRun({ prompt: "a", "\u001b]0;b\u0007": 1 })
      expect(code).toBe(2)
      expect(stderr).toContain("Unknown key: \\u001b]0;b\\u0007.")
      expect(stderr).toMatch(/^(\P{Cc}|\n)+$/u)
    })
  )
})
