import { NodeContext } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, Option } from "effect"
import { homedir } from "node:os"
import { join, resolve } from "node:path"
import { makeTools } from "../../../src/cli/command/mcp/mcp.js"
import { onPort, timeout } from "../../support/commandWorld.js"
import { initialize, mcpServer, textOf, world } from "../../support/mcpWorld.js"

const fox = { prompt: "a fox", seed: 7 }

const matching = (pattern: RegExp) => expect.stringMatching(pattern) as string

describe.concurrent("effect-arta mcp", { timeout }, () => {
  it.scopedLive("describes the server, its tools and its resources", () =>
    Effect.gen(function* () {
      const { request } = yield* world()
      expect((yield* request("initialize", initialize.params)).result).toMatchObject({
        serverInfo: { name: "effect-arta", title: "ARTA images", version: "0.0.0" },
        instructions: matching(/^Generates images with ARTA\. Every generate_image is charged/)
      })
      expect((yield* request("tools/list")).result).toMatchObject({
        tools: [
          {
            title: "Generate images",
            annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true }
          },
          {
            title: "Get the images of a generation",
            annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: true }
          }
        ]
      })
      expect((yield* request("resources/list")).result).toEqual({
        resources: [
          {
            name: "models",
            title: "Models of ARTA",
            uri: "arta://models",
            description: "The aliases for the model of generate_image, and the models that they stand for",
            mimeType: "application/json"
          }
        ]
      })
      expect((yield* request("resources/templates/list")).result).toMatchObject({
        resourceTemplates: [
          {
            name: "image",
            title: "A generated image",
            description: "An image that generate_image or check_generation saved"
          }
        ]
      })
    }).pipe(onPort())
  )

  it.scopedLive("reports each stage of a generation, and how long it has taken", () =>
    Effect.gen(function* () {
      const { generate, progress } = yield* world()
      const { structuredContent } = yield* generate(fox)
      const id = structuredContent?.recordId ?? "no record id"
      const messages = progress.map(({ message }) => message)
      // Each stage is repeated every five seconds.
      expect([...new Set(messages.map((message) => message.replace(/, \d+ s/, "")))]).toEqual([
        "waiting to be submitted",
        "submitted, no response yet",
        `in the queue (recordId ${id})`,
        `generating (recordId ${id})`,
        `saving the images (recordId ${id})`
      ])
      for (const message of messages) expect(message).toMatch(/, \d{1,2} s/)
    }).pipe(onPort({ queueTime: "1 second", drawTime: "3 seconds" }))
  )

  it.scopedLive("lists the latest ten generations, and not those of the emulator", () =>
    Effect.gen(function* () {
      const { check, env, generate, images } = yield* world()
      const emulated = yield* mcpServer({ env, directory: images, emulator: true })
      yield* emulated.generate({ ...fox, prompt: "an emulated fox" })
      for (let seed = 1; seed <= 11; seed += 1) yield* generate({ ...fox, seed })
      const { structuredContent } = yield* check()
      const seeds = structuredContent?.generations?.map((one) => ("seed" in one ? one.seed : undefined))
      expect(seeds).toHaveLength(10)
      expect(structuredContent?.generations?.every(({ isRunning, isSaved }) => isSaved && !isRunning)).toBe(true)
      expect(textOf(yield* check())).toMatch(/newest first:\n.*seed 11\.\n.*seed 10\.\n/)
      expect(textOf(yield* check())).not.toContain("emulated")
      expect(textOf(yield* emulated.check())).toMatch(/newest first:\n- .*"an emulated fox", seed 7\.\nTo get/)
    }).pipe(onPort({ queueTime: 0, drawTime: 0 }))
  )

  it.scopedLive("saves the images of a generation that another program submitted", () =>
    Effect.gen(function* () {
      const { directory, env, generate, submissions } = yield* world()
      const recordId = (yield* generate(fox)).structuredContent?.recordId ?? "none"
      const other = yield* mcpServer({ env, directory: `${directory}/other` })
      const found = yield* other.check(recordId)
      expect(textOf(found)).toMatch(
        new RegExp(`^Saved 1 image of the generation ${recordId}, generated:\n${directory}/other/`)
      )
      expect(found.structuredContent).toMatchObject({ status: "saved", recordId, missing: 0 })
      expect(found.structuredContent?.seed).toBeUndefined()
      expect(yield* submissions).toBe(1)
    }).pipe(onPort())
  )

  it.scopedLive.each<[string | undefined, string]>([
    [undefined, join(homedir(), "effect-arta")],
    ["~", homedir()],
    ["~/images", join(homedir(), "images")],
    ["~me/images", resolve("~me/images")],
    ["images/~", resolve("images/~")],
    ["/tmp/~/images", "/tmp/~/images"]
  ])("saves in the directory that %s stands for", ([given, directory]) =>
    Effect.gen(function* () {
      const input = {
        directory: Option.fromNullable(given),
        http: Option.none(),
        timeout: 30,
        proxy: Option.none(),
        emulator: true
      }
      expect((yield* makeTools(input, Duration.seconds(1))).directory).toBe(directory)
    }).pipe(Effect.provide(NodeContext.layer))
  )
})
