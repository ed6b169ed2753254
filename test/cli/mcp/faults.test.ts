import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { Fault } from "effect-arta/testing"
import { onPort, timeout } from "../../support/commandWorld.js"
import type { ToolResult } from "../../support/mcpWorld.js"
import { textOf, world } from "../../support/mcpWorld.js"

const fox = { prompt: "a fox", seed: 7 }

const empty = { status: "DONE", response: [] }

const statusOf = ({ structuredContent }: ToolResult) => structuredContent?.status

describe.concurrent("effect-arta mcp", { timeout }, () => {
  // fault: Submit | the response to the submission of an MCP tool is lost, or is a 500 | unknown, told, and not sent again by an equal call
  it.scopedLive.each<[string, Fault.Fault]>([
    ["is lost", Fault.drop("submit", { handled: true })],
    ["is a 500", Fault.respond("submit", 500)]
  ])("submits nothing again if the response to a submission %s", ([, fault]) =>
    Effect.gen(function* () {
      const { check, emulator, generate, submissions } = yield* world()
      yield* emulator.inject(fault)
      const first = yield* generate(fox)
      expect(first).toMatchObject({ isError: true, structuredContent: { status: "unknown" } })
      expect(textOf(first)).toMatch(/may or may not have accepted.*with seed 7.*another seed/)

      expect(statusOf(yield* generate(fox))).toBe("unknown")
      expect(textOf(yield* check())).toMatch(/No recordId: the service may or may not have accepted it/)
      expect(yield* submissions).toBe(1)
      // The user has agreed to pay again.
      expect(statusOf(yield* generate({ ...fox, seed: 8 }))).toBe("saved")
      expect(yield* submissions).toBe(2)
    }).pipe(onPort())
  )

  // fault: Submit | the service limits the rate for longer than a generation may take | nothing accepted, told, and an equal call is a new request
  it.scopedLive("says that nothing was accepted if the service limits the rate", () =>
    Effect.gen(function* () {
      const { emulator, generate } = yield* world()
      yield* emulator.inject(Fault.respond("submit", 429, { headers: { "retry-after": "600" } }))
      const result = yield* generate(fox)
      expect(result).toMatchObject({ isError: true, structuredContent: { status: "not_accepted" } })
      expect(textOf(result)).toMatch(/Too many requests.*nothing is charged/)
      expect(textOf(yield* generate(fox))).not.toMatch(/earlier, equal call/)
    }).pipe(onPort())
  )

  // fault: Submit | the service refuses the arguments of an MCP tool | its reason, and nothing charged
  it.scopedLive("passes on why the service refuses a request", () =>
    Effect.gen(function* () {
      const { emulator, generate, submissions } = yield* world()
      yield* emulator.inject(Fault.respond("submit", 422, { body: { detail: "prompt is too long" } }))
      const result = yield* generate(fox)
      expect(statusOf(result)).toBe("not_accepted")
      expect(textOf(result)).toMatch(/prompt is too long.*nothing is charged.*Change the arguments/)
      expect(statusOf(yield* generate(fox))).toBe("saved")
      expect(yield* submissions).toBe(2)
    }).pipe(onPort())
  )

  // fault: Poll | the service limits the rate, or its status is unreadable, after an MCP tool has submitted | the images
  it.scopedLive("saves the images if the service limits the rate after the submission", () =>
    Effect.gen(function* () {
      const { emulator, generate, submissions } = yield* world()
      yield* emulator.inject(Fault.respond("status", 429, { headers: { "retry-after": "1" } }))
      yield* emulator.inject(Fault.respond("status", 503))
      expect(statusOf(yield* generate(fox))).toBe("saved")
      expect(yield* submissions).toBe(1)
    }).pipe(onPort())
  )

  // fault: Poll | a generation of an MCP tool fails, or has no images | its reason and record id, and an equal call is a new request
  it.scopedLive.each<[string, Fault.Fault, string]>([
    ["failed", Fault.failGeneration("FAILED", "NSFW content"), "FAILED: NSFW content"],
    ["has no images", Fault.respond("status", 200, { body: empty }), "DONE: the response contains no image"]
  ])("says that a generation %s", ([, fault, reason]) =>
    Effect.gen(function* () {
      const { emulator, generate, submissions } = yield* world()
      yield* emulator.inject(fault)
      const result = yield* generate(fox)
      const recordId = result.structuredContent?.recordId ?? "none"
      expect(result).toMatchObject({ isError: true, structuredContent: { status: "failed" } })
      expect(textOf(result)).toMatch(new RegExp(`${recordId} ended with status ${reason}.*deliver no images`))
      expect(yield* submissions).toBe(1)
      expect(statusOf(yield* generate(fox))).toBe("saved")
      expect(yield* submissions).toBe(2)
    }).pipe(onPort())
  )

  it.scopedLive("says that the service has lost a generation, and submits an equal call", () =>
    Effect.gen(function* () {
      const { emulator, generate, submissions } = yield* world()
      yield* emulator.inject(Fault.respond("status", 410))
      const result = yield* generate(fox)
      const recordId = result.structuredContent?.recordId ?? "none"
      expect(textOf(result)).toBe(
        `The service has no generation ${recordId}. Check the recordId, or call check_generation without one to list the latest.`
      )
      expect(yield* submissions).toBe(1)
      expect(statusOf(yield* generate(fox))).toBe("saved")
      expect(yield* submissions).toBe(2)
    }).pipe(onPort())
  )

  // fault: Poll | the service refuses the status while an MCP tool waits | the record id, with which check_generation goes on
  it.scopedLive("goes on with a generation whose status was refused", () =>
    Effect.gen(function* () {
      const { check, emulator, generate, submissions } = yield* world()
      yield* emulator.inject(Fault.respond("status", 403, { body: { detail: "Forbidden" } }))
      const result = yield* generate(fox)
      const recordId = result.structuredContent?.recordId ?? "none"
      expect(result).toMatchObject({ isError: true, structuredContent: { status: "failed" } })
      expect(textOf(result)).toContain(
        `The generation ${recordId} is accepted and paid for. Call check_generation with recordId "${recordId}" to get its ` +
          "images: that costs nothing. Do not call generate_image again for it: that would be charged a second time."
      )
      yield* emulator.inject(Fault.respond("status", 403, { body: { detail: "Forbidden" } }))
      expect(statusOf(yield* generate(fox))).toBe("failed")
      expect(statusOf(yield* check(` ${recordId} `))).toBe("saved")
      expect(yield* submissions).toBe(1)
    }).pipe(onPort())
  )

  // fault: Download | no image of a generation of an MCP tool can be downloaded | its record id, and an equal call downloads again without a submission
  it.scopedLive("downloads again without a submission if no image came", () =>
    Effect.gen(function* () {
      const { emulator, generate, submissions } = yield* world()
      yield* Effect.forEach([403, 403], (status) => emulator.inject(Fault.respond("image", status)))
      const result = yield* generate(fox)
      expect(result).toMatchObject({ isError: true, structuredContent: { status: "failed" } })
      expect(textOf(result)).toMatch(/done and paid for.*\n.*403.*\n.*check_generation/)
      const again = yield* generate(fox)
      expect(statusOf(again)).toBe("saved")
      expect(textOf(again)).toMatch(/earlier, equal call/)
      expect(yield* submissions).toBe(1)
    }).pipe(onPort())
  )

  // fault: Poll | a generation of an MCP tool takes longer than its timeout | its record id, with which check_generation goes on
  it.scopedLive("goes on with a generation that exceeded its timeout", () =>
    Effect.gen(function* () {
      const { check, generate, submissions } = yield* world({ timeout: 2 })
      const result = yield* generate(fox)
      const recordId = result.structuredContent?.recordId ?? "none"
      expect(result).toMatchObject({ isError: true, structuredContent: { status: "failed" } })
      expect(textOf(result)).toMatch(/has not finished.*paid for/)
      const last = yield* Effect.repeat(check(recordId), { until: (next) => statusOf(next) === "saved" })
      expect(last.structuredContent?.recordId).toBe(recordId)
      expect(yield* submissions).toBe(1)
    }).pipe(onPort({ drawTime: "4 seconds" }))
  )
})
