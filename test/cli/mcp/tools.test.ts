import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { Fault } from "effect-arta/testing"
import { encode } from "fast-png"
import { randomBytes } from "node:crypto"
import { onPort, timeout } from "../../support/commandWorld.js"
import { mcpServer, textOf, world } from "../../support/mcpWorld.js"

/** An image of 120 KB, which no compression makes smaller. */
const noise = (): string => {
  const data = randomBytes(200 * 200 * 3)
  return `data:image/png;base64,${Buffer.from(encode({ width: 200, height: 200, channels: 3, data })).toString("base64")}`
}

const links = (count: number) => Array.from({ length: count }, () => "resource_link")

describe.concurrent("The tools of effect-arta mcp", { timeout }, () => {
  it.scopedLive("save an image, link to it, show it, and report the progress", () =>
    Effect.gen(function* () {
      const { fs, generate, images, progress, submissions } = yield* world()
      const result = yield* generate({ prompt: "a fox", seed: 7 })
      const path = `${images}/a-fox-7-0.png`
      expect(result.isError).toBe(false)
      expect(textOf(result)).toContain(path)
      expect(result.content.map(({ type }) => type)).toEqual(["text", "resource_link", "image"])
      expect(result.content[1]?.uri).toBe(`file://${path}`)
      expect(Buffer.from(result.content[2]?.data ?? "", "base64")).toEqual(Buffer.from(yield* fs.readFile(path)))
      expect(result.structuredContent).toMatchObject({ status: "saved", seed: 7, missing: 0, images: [{ path }] })
      expect(progress.at(-1)?.message).toContain(result.structuredContent?.recordId ?? "no record id")
      expect(progress.map(({ progress }) => progress)).toEqual(progress.map((_, index) => index + 1))
      expect(yield* submissions).toBe(1)
    }).pipe(onPort())
  )

  it.scopedLive("hand back a generation that takes long, and go on with it", () =>
    Effect.gen(function* () {
      const { check, generate, submissions } = yield* world({ patience: "300 millis" })
      // On a busy machine, the first call may end before the service has responded.
      const first = yield* Effect.repeat(generate({ prompt: "a fox", seed: 7 }), {
        until: ({ structuredContent }) => structuredContent?.recordId !== undefined
      })
      const recordId = first.structuredContent?.recordId ?? ""
      expect(first).toMatchObject({ isError: false, structuredContent: { status: "running" } })
      expect(textOf(first)).toContain(recordId)
      const last = yield* Effect.repeat(check(recordId), {
        until: ({ structuredContent }) => structuredContent?.status !== "running"
      })
      expect(last.structuredContent).toMatchObject({ status: "saved", recordId, seed: 7 })
      expect(yield* submissions).toBe(1)
    }).pipe(onPort({ drawTime: "2 seconds" }))
  )

  it.scopedLive("describe themselves to a model", () =>
    Effect.gen(function* () {
      const { request } = yield* world()
      expect((yield* request("tools/list")).result).toMatchObject({
        tools: [
          {
            name: "generate_image",
            description: expect.stringMatching(/charged.*check_generation/s) as string,
            inputSchema: { required: ["prompt"], additionalProperties: false },
            outputSchema: { type: "object" },
            annotations: { readOnlyHint: false, idempotentHint: false, openWorldHint: true }
          },
          { name: "check_generation", annotations: { idempotentHint: true } }
        ]
      })
    }).pipe(onPort())
  )

  it.scopedLive.each<[string, object, RegExp]>([
    ["a misspelled option", { prompt: "a fox", aspect_ratio: "16:9" }, /aspect_ratio/],
    ["too many images", { prompt: "a fox", n: 9 }, /n/],
    ["a blank prompt", { prompt: " " }, /prompt.*Nothing was accepted/],
    ["an unknown model", { prompt: "a fox", model: "watercolour" }, /watercolor.*Nothing was accepted/],
    ["an aspect ratio in pixels", { prompt: "a fox", aspectRatio: "1024x1024" }, /aspectRatio/]
  ])("submit nothing with %s", ([, args, message]) =>
    Effect.gen(function* () {
      const { generate, submissions } = yield* world()
      const result = yield* generate(args)
      expect(result.isError).toBe(true)
      expect(textOf(result)).toMatch(message)
      expect(yield* submissions).toBe(0)
    }).pipe(onPort())
  )

  it.scopedLive("say what is missing without an API key", () =>
    Effect.gen(function* () {
      const { directory, env, submissions } = yield* world()
      const { check, generate } = yield* mcpServer({ env: { ...env, ARTA_API_KEY: undefined }, directory })
      const result = yield* generate({ prompt: "a fox" })
      expect(result.isError).toBe(true)
      expect(textOf(result)).toMatch(/No API key is set.*"env"/)
      expect((yield* check("a-record")).isError).toBe(true)
      expect(yield* submissions).toBe(0)
    }).pipe(onPort())
  )

  it.scopedLive("find the images of a generation that another server started", () =>
    Effect.gen(function* () {
      const { env, images, submissions } = yield* world()
      const recordId = yield* Effect.gen(function* () {
        const { check, generate } = yield* mcpServer({ env, directory: images, patience: "1 millis" })
        yield* generate({ prompt: "a fox", seed: 7 })
        const listed = yield* Effect.repeat(check(), {
          until: ({ structuredContent }) => structuredContent?.generations?.[0]?.recordId !== undefined
        })
        return listed.structuredContent?.generations?.[0]?.recordId
      }).pipe(Effect.scoped)
      const other = yield* mcpServer({ env, directory: images })
      const found = yield* other.check(recordId)
      expect(found.structuredContent).toMatchObject({ status: "saved", recordId, seed: 7 })
      expect(textOf(found)).toContain(`${images}/a-fox-7-0.png`)

      const third = yield* mcpServer({ env, directory: images })
      expect((yield* third.check(recordId)).structuredContent).toEqual(found.structuredContent)
      expect(textOf(yield* third.check())).toMatch(new RegExp(`"${String(recordId)}": saved as a-fox-7-0.png`))
      expect(yield* submissions).toBe(1)
    }).pipe(onPort({ queueTime: "1 second" }))
  )

  it.scopedLive("refuse a record id that the service does not know", () =>
    Effect.gen(function* () {
      const { check } = yield* world()
      const unknown = yield* check("a-record")
      expect(unknown.isError).toBe(true)
      expect(textOf(unknown)).toMatch(/no generation a-record.*without one to list/)
      expect(textOf(yield* check("  "))).toMatch(/not a recordId/)
      expect(textOf(yield* check())).toMatch(/no generations in/)
    }).pipe(onPort())
  )

  it.scopedLive("show images up to 256 KiB in all, and link to the others", () =>
    Effect.gen(function* () {
      const { emulator, generate } = yield* world()
      const response = Array.from({ length: 3 }, () => ({ url: noise() }))
      yield* emulator.inject(Fault.respond("status", 200, { body: { status: "DONE", response } }))
      const result = yield* generate({ prompt: "a fox", n: 3 })
      const sizes = result.structuredContent?.images?.map(({ bytes }) => bytes) ?? []
      expect(sizes.every((size) => size > 100_000)).toBe(true)
      expect(result.content.map(({ type }) => type)).toEqual(["text", ...links(3), "image", "image"])
    }).pipe(onPort())
  )

  it.scopedLive("offer the models and the saved images as resources, and no other file", () =>
    Effect.gen(function* () {
      const { directory, fs, generate, images, request } = yield* world()
      const { content } = yield* generate({ prompt: "a fox", seed: 7 })
      const read = (uri: string) => request("resources/read", { uri })
      expect((yield* read("arta://models")).result).toMatchObject({
        contents: [{ mimeType: "application/json", text: expect.stringContaining('"gpt-image"') as string }]
      })
      const bytes = Buffer.from(yield* fs.readFile(`${images}/a-fox-7-0.png`)).toString("base64")
      expect((yield* read(content[1]?.uri ?? "")).result).toMatchObject({
        contents: [{ mimeType: "image/png", blob: bytes }]
      })

      yield* fs.symlink(`${directory}/credentials.json`, `${images}/link.png`)
      for (const file of [`${directory}/credentials.json`, `${images}/effect-arta.jsonl`, `${images}/link.png`]) {
        expect(yield* read(`file://${file}`)).toMatchObject({ error: { message: expect.anything() as string } })
      }
    }).pipe(onPort())
  )
})
