import { describe, expect, it } from "@effect/vitest"
import { Effect, Schedule } from "effect"
import { readdir, readFile } from "node:fs/promises"
import { command, lines } from "../support/command.js"
import { commandProcess, startProcess } from "../support/commandProcess.js"
import { onPort, setUp } from "../support/commandWorld.js"

const pngStart = [0x89, 0x50, 0x4e, 0x47]

// `script`, /dev/full and xdg-open are those of Linux.
describe.skipIf(process.platform !== "linux")("effect-arta -o -", { concurrent: true, timeout: 120_000 }, () => {
  it.scopedLive("writes the bytes of the image to standard output, and all text to standard error", () =>
    Effect.gen(function* () {
      const { directory, env, fs, images } = yield* setUp
      const ended = yield* commandProcess(["generate", "a fox", "--seed", "7", "-o", "-"], {
        before: `exec > ${directory}/out.png`,
        cwd: directory,
        env
      })
      expect(ended.code, ended.stderr).toBe(0)
      expect(ended.stderr).toMatch(
        /Seed 7\. To generate the same images again: effect-arta generate 'a fox' --seed 7 -o -$/m
      )
      const bytes = yield* fs.readFile(`${directory}/out.png`)
      yield* command(["generate", "a fox", "--seed", "7", "-o", images], { env })
      expect(bytes).toEqual(yield* fs.readFile(`${images}/a-fox-7-0.png`))
      const files = ["credentials.json", "durations.json", "images", "out.png"]
      expect((yield* fs.readDirectory(directory)).sort()).toEqual(files)
    }).pipe(onPort())
  )

  it.scopedLive.each([
    { args: ["-n", "2"], says: /-o - writes one image, not 2/ },
    { args: ["--json"], says: /both write to standard output/ },
    { args: ["--no-save"], says: /writes none/ },
    { args: ["--open"], says: /saves none/ }
  ])("sends nothing with $args", ({ args, says }) =>
    Effect.gen(function* () {
      const { emulator, env } = yield* setUp
      const { code, stderr, stdout } = yield* command(["generate", "a fox", "-o", "-", ...args], { env })
      expect(stderr).toMatch(says)
      expect(code).toBe(2)
      expect(stdout.replace(/^\{.*\}\n$/, "")).toBe("")
      expect((yield* emulator.counts).submit).toBe(0)
    }).pipe(onPort())
  )

  it.scopedLive("sends nothing if standard output is a terminal", () =>
    Effect.gen(function* () {
      const { emulator, env } = yield* setUp
      const { code, stdout } = yield* commandProcess(["generate", "a fox", "-o", "-"], { env, terminal: true })
      expect(stdout).toMatch(/does not write an image to a terminal\. .* > image\.png/)
      expect(code).toBe(2)
      expect((yield* emulator.counts).submit).toBe(0)
    }).pipe(onPort())
  )

  // fault: Process | Standard output breaks while it takes the image | the image is kept in a file that the message names
  it.scopedLive("keeps the image if the reader leaves", () =>
    Effect.gen(function* () {
      const { directory, emulator, env } = yield* setUp
      const child = yield* startProcess(["generate", "a fox", "-o", "-"], { env: { ...env, TMPDIR: directory } })
      yield* child.wrote(/submitted/)
      yield* child.stopReadingOutput
      const { code, stderr } = yield* child.ended
      const file = /did not take the whole image\. The image is kept in (.*)\.$/m.exec(stderr)?.[1] ?? stderr
      expect([...(yield* Effect.promise(() => readFile(file))).subarray(0, 4)]).toEqual(pngStart)
      expect(code).toBe(3)
      expect((yield* emulator.counts).submit).toBe(1)
    }).pipe(onPort({ drawTime: "1 second" }))
  )

  it.scopedLive("keeps the image if the disk is full", () =>
    Effect.gen(function* () {
      const { directory, env } = yield* setUp
      const { code, stderr } = yield* commandProcess(["generate", "a fox", "-o", "-"], {
        before: "exec > /dev/full",
        env: { ...env, TMPDIR: directory }
      })
      expect(stderr).toMatch(/The image is kept in .*\.png\.$/m)
      expect(code).toBe(3)
      const [kept = ""] = (yield* Effect.promise(() => readdir(directory))).filter((name) =>
        name.startsWith("effect-arta-")
      )
      expect(yield* Effect.promise(() => readdir(`${directory}/${kept}`))).toHaveLength(1)
    }).pipe(onPort())
  )
})

describe.skipIf(process.platform !== "linux")(
  "effect-arta --quiet and --open",
  { concurrent: true, timeout: 120_000 },
  () => {
    it.scopedLive("--quiet prints the paths only, and errors", () =>
      Effect.gen(function* () {
        const { directory, env, fs, images } = yield* setUp
        const one = yield* command(["generate", "a fox", "--quiet", "-o", images], { env })
        expect(one).toMatchObject({ code: 0, stderr: "" })
        expect(lines(one.stdout)).toHaveLength(1)
        yield* fs.writeFileString(`${directory}/p.txt`, "a fox\na hare\n")
        const batch = yield* command(["batch", `${directory}/p.txt`, "-q", "-o", images], { env })
        expect(batch).toMatchObject({ code: 0, stderr: "" })
        expect(lines(batch.stdout)).toHaveLength(2)
        expect((yield* command(["generate", "a fox", "-n", "0", "-q"], { env })).stderr).toMatch(/-n must be/)
      }).pipe(onPort())
    )

    it.scopedLive("--open starts a viewer with each image", () =>
      Effect.gen(function* () {
        const { directory, env, fs, images } = yield* setUp
        yield* fs.makeDirectory(`${directory}/bin`)
        yield* fs.writeFileString(`${directory}/bin/xdg-open`, `#!/bin/sh\necho "$1" >> ${directory}/opened\n`)
        yield* fs.chmod(`${directory}/bin/xdg-open`, 0o755)
        const { code, stderr, stdout } = yield* commandProcess(
          ["generate", "a fox", "-n", "2", "--open", "-o", images],
          {
            env: { ...env, PATH: `${directory}/bin:/usr/bin:/bin` }
          }
        )
        expect(code, stderr).toBe(0)
        const opened = fs.readFileString(`${directory}/opened`).pipe(
          Effect.map(lines),
          Effect.filterOrFail(({ length }) => length === 2),
          Effect.retry({ times: 100, schedule: Schedule.spaced("50 millis") })
        )
        expect([...(yield* opened)].sort()).toEqual([...lines(stdout)].sort())
      }).pipe(onPort())
    )

    it.scopedLive("--open without a viewer says so, and the image is saved", () =>
      Effect.gen(function* () {
        const { directory, env, images } = yield* setUp
        const { code, stderr, stdout } = yield* commandProcess(["generate", "a fox", "--open", "-o", images], {
          env: { ...env, PATH: directory }
        })
        expect(stderr).toMatch(/No viewer could be started for .*\.png\. Open the file yourself/)
        expect(lines(stdout)).toHaveLength(1)
        expect(code).toBe(0)
      }).pipe(onPort())
    )
  }
)
