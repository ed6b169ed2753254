import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { Line } from "../../src/cli/shared/jsonOutput.js"
import { command, decodeLines, lines, started } from "../support/command.js"
import { commandProcess, startProcess } from "../support/commandProcess.js"
import { onPort, setUp, timeout } from "../support/commandWorld.js"
import { faultServer, respond } from "../support/faultServer.js"

/** Splits a command line as a shell does. */
const shellWords = (line: string): ReadonlyArray<string> =>
  execFileSync("sh", ["-c", `printf '%s\\0' ${line}`], { encoding: "utf8" })
    .split("\0")
    .slice(0, -1)

const startsLikePng = (bytes: Uint8Array) => {
  expect([...bytes.slice(1, 4)]).toEqual([0x50, 0x4e, 0x47])
}

describe.concurrent("effect-arta generate", { timeout }, () => {
  it.scopedLive("generates, saves, prints the path, and prints the command that repeats it", () =>
    Effect.gen(function* () {
      const { env, fs, images } = yield* setUp
      const args = ["generate", "a lighthouse's light", "-m", "watercolor", "-n", "2", "--aspect", "16:9", "-o", images]
      const first = yield* command(args, { env })
      expect(first.code).toBe(0)
      const [one = "", two = "", ...more] = lines(first.stdout)
      expect(more).toEqual([])
      expect(one).toMatch(/\/images\/a-lighthouse-s-light-\d+-0\.png$/)
      expect(two).toMatch(/-1\.png$/)
      startsLikePng(yield* fs.readFile(one))

      const again = /To generate the same images again: effect-arta (generate .*)/.exec(first.stderr)?.[1] ?? ""
      const second = yield* command([...shellWords(again), "-o", images], { env })
      const [same = ""] = lines(second.stdout)
      expect(same).not.toBe(one)
      expect(yield* fs.readFile(same)).toEqual(yield* fs.readFile(one))
    }).pipe(onPort())
  )

  it.scopedLive("prints the command that repeats a prompt like a flag, on the emulator too", () =>
    Effect.gen(function* () {
      const { fs, images } = yield* setUp
      const first = yield* command(["generate", "--emulator", "-o", images, "--", "-fox --seed 3"])
      const again = /To generate the same images again: effect-arta (generate .*)/.exec(first.stderr)?.[1] ?? ""
      const [name = "", ...args] = shellWords(again)
      const second = yield* command([name, "-o", images, ...args])
      expect(second.stderr).toMatch(/To generate the same images again/)
      expect(second.stdout).not.toBe(first.stdout)
      const [one, two] = yield* Effect.forEach([first, second], ({ stdout }) => fs.readFile(stdout.trim()))
      expect(two).toEqual(one)
    }).pipe(onPort())
  )

  it.scopedLive("generates more than 8 images with --no-limits, and repeats that", () =>
    Effect.gen(function* () {
      const { images } = yield* setUp
      const { code, stderr, stdout } = yield* command([
        "generate",
        "--emulator",
        "a fox",
        "-n",
        "12",
        "--no-limits",
        "-o",
        images
      ])
      expect({ code, images: lines(stdout).length }).toEqual({ code: 0, images: 12 })
      expect(stderr).toMatch(/-n 12 .*--no-limits/)
    }).pipe(onPort())
  )

  it.scopedLive("reads the prompt from standard input if it is a hyphen", () =>
    Effect.gen(function* () {
      const { env, images } = yield* setUp
      const { stderr, stdout } = yield* commandProcess(["generate", "-", "-o", images], { env, input: "a fox\n" })
      expect(stdout).toMatch(/\/a-fox-\d+-0\.png\n$/)
      expect(stderr).toContain("effect-arta generate 'a fox' ")
    }).pipe(onPort())
  )

  it.scopedLive("prints addresses and saves nothing with --no-save", () =>
    Effect.gen(function* () {
      const { env, directory, fs, images } = yield* setUp
      const { stdout } = yield* command(["generate", "a fox", "--no-save", "-o", images], { env })
      expect(stdout).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/images\/.*\.png\n$/)
      expect((yield* fs.readDirectory(directory)).sort()).toEqual(["credentials.json", "durations.json"])
    }).pipe(onPort())
  )

  it.scopedLive("says what to do next, with the flags that were given", () =>
    Effect.gen(function* () {
      const { env, images } = yield* setUp
      const fox = ["generate", "a fox", "--seed", "7", "-o", images]
      const again = (flags: string) =>
        `Seed 7. To generate the same images again: effect-arta generate 'a fox' --seed 7${flags}\n`
      const saved = yield* command([...fox, "--metadata", "none"], { env })
      expect(saved.stderr).toMatch(
        /^submitted record-\w+ to \S.*, seed 7\nqueued\ngenerating after \d s\ngenerated after \d s\n/
      )
      expect(saved.stderr).toContain(
        again(` --metadata none -o ${images}`) + `To look at the images in a browser: effect-arta gallery ${images}\n`
      )
      const unsaved = yield* command([...fox, "--no-save", "--timeout", "60"], { env })
      expect(unsaved.stderr).toContain(again(` -o ${images} --no-save --timeout 60`))
      const [recordId = ""] = /record-\w+/.exec(unsaved.stderr) ?? []
      const watched = yield* command(["watch", recordId, "--no-save", "-o", images], { env })
      expect(watched.stdout).toBe(unsaved.stdout)
      expect(watched.stderr).toMatch(/^generated after \d s\n/)
      expect(unsaved.stderr).toMatch(
        new RegExp(`\nThe URLs expire\\. To save the images: effect-arta watch record-\\w+ -o ${images}\n$`)
      )
      // The images of the emulator end with the command.
      const emulated = yield* command([...fox, "--no-save", "--emulator"])
      expect(emulated.stderr.endsWith(again(` -o ${images} --no-save --emulator`))).toBe(true)
    }).pipe(onPort({ queueTime: "700 millis", drawTime: "1500 millis" }))
  )

  it.scopedLive("prints only one event per line with --json", () =>
    Effect.gen(function* () {
      const { env, images } = yield* setUp
      const { stderr, stdout } = yield* command(["generate", "a fox", "--json", "-o", images], { env })
      const events = yield* decodeLines(Line, stdout)
      expect(events.map(({ _tag }) => _tag).filter((tag) => tag !== "Queued" && tag !== "InProgress")).toEqual([
        "Submitted",
        "Completed",
        "Saved"
      ])
      expect(stderr).toBe("")
    }).pipe(onPort())
  )

  it.scopedLive("needs no key and no network on the emulator", () =>
    Effect.gen(function* () {
      const { directory, fs } = yield* setUp
      const { code, stderr, stdout } = yield* commandProcess(["generate", "a fox", "--emulator"], { cwd: directory })
      expect(code).toBe(0)
      expect(stderr).toMatch(/: effect-arta generate 'a fox' --seed \d+ --emulator$/m)
      startsLikePng(yield* fs.readFile(`${directory}/${stdout.trim()}`))
      yield* commandProcess(["gallery", `${directory}/images`])
      expect(yield* fs.readFileString(`${directory}/images/index.html`)).toContain("<dd>Emulated</dd>")
    }).pipe(onPort())
  )

  it.scopedLive("names no command that resumes what the emulator forgets", () =>
    Effect.gen(function* () {
      const { images } = yield* setUp
      const child = yield* started(["generate", "a fox", "--emulator", "-o", images])
      yield* child.wrote(/submitted/)
      yield* child.interrupt
      const { code, stderr } = yield* child.ended
      expect(code).toBe(130)
      expect(stderr).toMatch(/^submitted \S+ to .*\n(queued\n)?$/)
    }).pipe(onPort())
  )

  it.scopedLive("keeps saving after EPIPE", () =>
    Effect.gen(function* () {
      const { env, fs, images } = yield* setUp
      const child = yield* startProcess(["generate", "a fox", "--seed", "7", "--json", "-o", images], { env })
      yield* child.stopReading
      expect((yield* child.ended).code).toBe(0)
      expect(yield* fs.exists(`${images}/a-fox-7-0.png`)).toBe(true)
    }).pipe(onPort())
  )

  it.scopedLive("gives concurrent images of one name different file names", () =>
    Effect.gen(function* () {
      const { env, fs, images } = yield* setUp
      const generate = (model: string) =>
        command(["generate", "a fox", "--seed", "7", "-m", model, "-o", images], { env })
      const all = yield* Effect.forEach(["flux", "watercolor", "anime", "cinematic-art"], generate, {
        concurrency: "unbounded"
      })
      expect(all.map(({ code }) => code)).toEqual([0, 0, 0, 0])
      expect(new Set(all.map(({ stdout }) => stdout))).toHaveLength(4)
      expect((yield* fs.readDirectory(images)).filter((name) => name.endsWith(".png"))).toHaveLength(4)
    }).pipe(onPort())
  )

  it.scopedLive("names the generation if the response to its submission arrives after the timeout", () =>
    Effect.gen(function* () {
      const { directory, images } = yield* setUp
      const signedUp = { localId: "me", idToken: "id", refreshToken: "refresh", expiresIn: "3600" }
      const { url } = yield* faultServer({
        "/signUp": [respond(200, signedUp)],
        "/text2image/record-1/status": [respond(200, { status: "IN_QUEUE", response: null, detail: null })],
        "/text2image": [{ ...respond(200, { record_id: "record-1" }), after: Effect.sleep("6 seconds") }]
      })
      const { code, stderr } = yield* command(["generate", "a fox", "--timeout", "5", "-o", images], {
        env: {
          ARTA_API_KEY: "k",
          ARTA_API_URL: url,
          ARTA_SIGN_UP_URL: `${url}/signUp`,
          ARTA_TOKEN_FILE: `${directory}/credentials.json`
        }
      })
      expect(code).toBe(7)
      expect(stderr).toContain(`effect-arta watch record-1 -o ${images}`)
      expect(stderr).not.toContain("may still have accepted")
    }).pipe(onPort())
  )

  it.scopedLive.each(["SIGINT", "SIGTERM"] as const)(
    "on %s names the generation and the command that resumes it",
    (signal) =>
      Effect.gen(function* () {
        const { emulator, env, images } = yield* setUp
        const child = yield* startProcess(["generate", "a fox", "--seed", "7", "-o", images], { env })
        yield* child.wrote(/submitted/)
        yield* child.signal(signal)
        const { code, stderr } = yield* child.ended
        expect(code).toBe(130)
        const resume = /effect-arta (watch (record-\w+) -o \S+)/.exec(stderr)
        expect(resume?.[2], stderr).toBeDefined()

        const resumed = yield* command((resume?.[1] ?? "").split(" "), { env })
        expect(resumed.stdout).toBe(`${images}/a-fox-7-0.png\n`)
        const repeated = yield* command((resume?.[1] ?? "").split(" "), { env })
        expect(repeated.stdout).toBe(resumed.stdout)
        expect((yield* emulator.counts).submit).toBe(1)
      }).pipe(onPort({ drawTime: "3 seconds" }))
  )
})
