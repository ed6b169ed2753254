import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { Fault } from "effect-arta/testing"
import { encode } from "fast-png"
import { onPort, timeout } from "../../support/commandWorld.js"
import type { ToolResult } from "../../support/mcpWorld.js"
import { mcpServer, textOf, until, world } from "../../support/mcpWorld.js"

const fox = { prompt: "a fox", seed: 7 }
const owl = { prompt: "an owl", seed: 8 }

const png = encode({ width: 1, height: 1, channels: 3, data: new Uint8Array(3) })
const pixel = `data:image/png;base64,${Buffer.from(png).toString("base64")}`

const recordIdOf = ({ structuredContent }: ToolResult) => structuredContent?.recordId ?? "no record id"

const noSecondCall = "Do not call generate_image again for it: that would be charged a second time."
const checkIt = (recordId: string) => `Call check_generation with recordId "${recordId}"`

/** The ids of the generations that a server lists. */
const recordsOf = ({ structuredContent }: ToolResult) =>
  (structuredContent?.generations ?? []).map(({ recordId }) => recordId)

/** The text without the seconds that have passed. */
const timeless = (result: ToolResult) => textOf(result).replace(/\d+ s\)/g, "… s)")

describe.concurrent("What effect-arta mcp tells a model", { timeout }, () => {
  it.scopedLive("a generation is still running", () =>
    Effect.gen(function* () {
      const { check, generate, images } = yield* world({ patience: "300 millis" })
      const first = yield* generate(fox)
      // On a busy machine, the call may end before the service has responded.
      const [id = ""] = yield* Effect.repeat(Effect.map(check(), recordsOf), { until: ([id]) => id !== undefined })
      const running = yield* check(id)
      expect(first.structuredContent?.status).toBe("running")
      expect(timeless(running)).toBe(
        `The generation ${id} is accepted and still running (in the queue, … s). It continues in the background, and ` +
          `its images are saved in ${images}. ${checkIt(id)} to wait for them: that costs nothing. ${noSecondCall}`
      )
      expect(textOf(yield* check())).toMatch(/^- recordId ".*": in the queue, \d+ s\. Prompt "a fox", seed 7\.$/m)
    }).pipe(onPort({ queueTime: "1 hour" }))
  )

  it.scopedLive("nothing is submitted yet", () =>
    Effect.gen(function* () {
      const { check, emulator, generate, submissions } = yield* world({ patience: "300 millis" })
      yield* emulator.inject(Fault.hang("signUp"))
      expect(timeless(yield* generate(fox))).toBe(
        "Nothing is submitted yet (waiting to be submitted, … s), because the service limits the rate or does not respond " +
          "to the sign-in. It is submitted as soon as possible. Call check_generation without a recordId to see what " +
          "became of it. Do not call generate_image again for it."
      )
      expect(textOf(yield* check())).toMatch(/There are no generations in .* yet\.$/)
      expect(yield* submissions).toBe(0)
    }).pipe(onPort())
  )

  // fault: Download | an image that an MCP tool saved is deleted | check_generation downloads it again, without a submission
  it.scopedLive("which images are those of which generation", () =>
    Effect.gen(function* () {
      const { check, env, fs, generate, images, submissions } = yield* world()
      const first = yield* generate(fox)
      const second = yield* generate(owl)
      expect(first.content[0]?.text).toBe(
        `Saved 1 image of the generation ${recordIdOf(first)}, generated with Flux with seed 7:\n${images}/a-fox-7-0.png`
      )
      expect(textOf(yield* check())).toBe(
        [
          `The latest generations in ${images}, newest first:`,
          `- recordId "${recordIdOf(second)}": saved as an-owl-8-0.png. Prompt "an owl", seed 8.`,
          `- recordId "${recordIdOf(first)}": saved as a-fox-7-0.png. Prompt "a fox", seed 7.`,
          "To get the images of an accepted one, call check_generation with its recordId: that costs nothing."
        ].join("\n")
      )

      yield* fs.remove(`${images}/a-fox-7-0.png`)
      const other = yield* mcpServer({ env, directory: images })
      for (const server of [{ check }, other]) {
        expect(textOf(yield* server.check(recordIdOf(second)))).toContain(`${images}/an-owl-8-0.png`)
        expect(textOf(yield* server.check(recordIdOf(first)))).toContain(`${images}/a-fox-7-0.png`)
        expect(yield* fs.exists(`${images}/a-fox-7-0.png`)).toBe(true)
      }
      expect(yield* submissions).toBe(2)
    }).pipe(onPort())
  )

  it.scopedLive("an image is missing", () =>
    Effect.gen(function* () {
      const { emulator, generate } = yield* world()
      const response = [{ url: pixel }]
      yield* emulator.inject(Fault.respond("status", 200, { body: { status: "DONE", response } }))
      const result = yield* generate({ ...fox, n: 2 })
      expect(textOf(result)).toContain("1 of the requested images did not come from the service.")
      expect(result.structuredContent?.missing).toBe(1)
    }).pipe(onPort())
  )

  it.scopedLive("an image could not be downloaded, and check_generation downloads it", () =>
    Effect.gen(function* () {
      const { check, emulator, generate, submissions } = yield* world()
      yield* Effect.forEach([403, 403, 403], (status) => emulator.inject(Fault.respond("image", status)))
      const result = yield* generate({ ...fox, n: 2 })
      const recordId = recordIdOf(result)
      expect(textOf(result)).toMatch(/^Saved 1 image of .*with seed 7:\n.*\nCould not download .*403/)
      expect(textOf(result)).toContain(`${checkIt(recordId)} to try again: that costs nothing. ${noSecondCall}`)
      expect(textOf(yield* check(recordId))).toMatch(/^Saved 2 images of/)
      expect(yield* submissions).toBe(1)
    }).pipe(onPort())
  )

  it.scopedLive("what to do after a refusal", () =>
    Effect.gen(function* () {
      const { check, emulator, generate } = yield* world()
      const change =
        "Nothing was accepted, and nothing is charged. Change the arguments before you call generate_image again."
      expect(textOf(yield* generate({ ...fox, prompt: " " }))).toContain(change)
      expect(textOf(yield* generate({ ...fox, model: "watercolour" }))).toContain(change)

      yield* emulator.inject(Fault.failGeneration("FAILED", "NSFW content"))
      expect(textOf(yield* generate(fox))).toContain(
        "It will deliver no images. A new call of generate_image is a new, charged request: change the prompt or the seed, " +
          "and ask the user first if the reason does not say what to change."
      )

      yield* emulator.inject(Fault.respond("submit", 429, { headers: { "retry-after": "600" } }))
      expect(textOf(yield* generate(owl))).toContain(
        "Nothing was accepted, and nothing is charged. Tell the user about it. Once that is solved, call generate_image again."
      )
      expect(textOf(yield* check())).toContain(
        '- No recordId: not accepted, nothing is charged. Prompt "an owl", seed 8.'
      )
    }).pipe(onPort())
  )

  it.scopedLive("the images of an accepted generation are not saved yet", () =>
    Effect.gen(function* () {
      const { env, generate, images, submissions } = yield* world({ patience: "1 millis" })
      yield* generate(fox)
      yield* until(Effect.map(submissions, (count) => count > 0))
      const other = yield* mcpServer({ env, directory: images })
      // The first server may not have recorded the response yet.
      const isAccepted = Effect.map(other.check(), (result) => textOf(result).includes("accepted, its images"))
      yield* until(isAccepted)
      expect(textOf(yield* other.check())).toMatch(
        /": accepted, its images are not saved yet\. Prompt "a fox", seed 7\.$/m
      )
    }).pipe(onPort({ queueTime: "1 hour" }))
  )
})
