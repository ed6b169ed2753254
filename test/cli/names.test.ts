import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { command, lines } from "../support/command.js"
import { onPort, setUp, timeout } from "../support/commandWorld.js"

const today = /^\d{4}-\d\d-\d\d$/

describe.concurrent("effect-arta --name", { timeout }, () => {
  it.scopedLive.each([
    { template: "{seed}_{index}", names: ["7_0.png", "7_1.png"] },
    { template: "Fox {model} {prompt}", names: ["Fox f-dev a-fox-0.png", "Fox f-dev a-fox-1.png"] },
    { template: "com{index}", names: ["image-com0.png", "image-com1.png"] }
  ])("names the images after $template", ({ names, template }) =>
    Effect.gen(function* () {
      const { env, images } = yield* setUp
      const args = ["generate", "a fox", "-n", "2", "--seed", "7", "-m", "flux-dev", "-o", images, "--name", template]
      const { code, stderr, stdout } = yield* command(args, { env })
      expect(code, stderr).toBe(0)
      expect(lines(stdout)).toEqual(names.map((name) => `${images}/${name}`))
      expect(stderr).toContain(`--name `)
    }).pipe(onPort())
  )

  it.scopedLive("keeps a name with a long prompt short, and puts the date into it", () =>
    Effect.gen(function* () {
      const { fs, env, images } = yield* setUp
      const args = ["generate", "灯台".repeat(100), "--seed", "7", "-o", images, "--name", "{date} {prompt} {seed}"]
      expect((yield* command(args, { env })).code).toBe(0)
      const [name = ""] = (yield* fs.readDirectory(images)).filter((file) => file.endsWith(".png"))
      expect(name).toMatch(/^\S+ (灯台)+灯? 7-0\.png$/u)
      expect(name.slice(0, 10)).toMatch(today)
      expect(Buffer.byteLength(name)).toBeLessThanOrEqual(143)
    }).pipe(onPort())
  )

  it.scopedLive.each([
    { template: `${"x".repeat(80)} {prompt}`, name: `${"x".repeat(80)} ${"abcdefghij".repeat(3)}abcdefg` },
    {
      template: `${"x".repeat(60)} {prompt}{prompt}`,
      name: `${"x".repeat(60)} ${"abcdefghijabcdefghijabcdefgh".repeat(2)}`
    }
  ])("shares the room in the template $template", ({ name, template }) =>
    Effect.gen(function* () {
      const { env, images } = yield* setUp
      const args = ["generate", "abcdefghij".repeat(10), "-o", images, "--name", template]
      expect((yield* command(args, { env })).stdout).toBe(`${images}/${name}-0.png\n`)
    }).pipe(onPort())
  )

  it.scopedLive.each([
    { template: "{promt}", says: /^--name contains \{promt\}\. It may contain: \{prompt\} \{seed\}/m },
    { template: "{row}", says: /^--name contains \{row\}/m },
    { template: "a{b", says: /^--name contains \{/m },
    { template: "{seed}/{prompt}", says: /^--name must not contain \/: .* -o/m },
    { template: "..\\up", says: /^--name must not contain/m },
    { template: "a\u0007b", says: /^--name must not contain \\u0007/m },
    { template: ".hidden", says: /start with a dot/ },
    { template: " ", says: /^--name must not be empty/m },
    { template: "", says: /^--name must not be empty/m },
    { template: "x".repeat(200), says: /^--name makes names that are too long/m }
  ])("sends nothing with the template $template", ({ says, template }) =>
    Effect.gen(function* () {
      const { emulator, env, images } = yield* setUp
      const { code, stderr } = yield* command(["generate", "a fox", "-o", images, "--name", template], { env })
      expect(stderr).toMatch(says)
      expect(code).toBe(2)
      expect((yield* emulator.counts).submit).toBe(0)
    }).pipe(onPort())
  )

  it.scopedLive("names the rows of a batch, numbers names that are taken, and finds the files again", () =>
    Effect.gen(function* () {
      const { directory, emulator, env, fs, images } = yield* setUp
      const file = `${directory}/prompts.csv`
      yield* fs.writeFileString(file, "prompt,seed,n\na fox,7,1\na hare,8,2\n")
      const run = (template: string) => command(["batch", file, "-o", images, "--name", template], { env })
      const names = Effect.map(fs.readDirectory(images), (all) => all.filter((name) => name.endsWith(".png")).sort())

      expect((yield* run("{index} row {row}")).code).toBe(0)
      const saved = ["0 row 1.png", "0 row 2.png", "1 row 2.png"]
      expect(yield* names).toEqual(saved)

      yield* fs.remove(`${images}/0 row 2.png`)
      expect((yield* run("{index} row {row}")).code).toBe(0)
      expect(yield* names).toEqual(saved)
      expect((yield* emulator.counts).submit).toBe(2)

      yield* fs.writeFileString(file, "prompt,seed\na fox,9\na hare,10\n")
      expect((yield* run("{index} same")).code).toBe(0)
      expect(yield* names).toEqual([...saved, "0 same-2.png", "0 same.png"].sort())
    }).pipe(onPort())
  )
})
