import { HttpClient } from "@effect/platform"
import { NodeHttpClient } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { type Environment, started } from "../support/command.js"

const statusOf = (url: string) =>
  Effect.map(HttpClient.get(url), ({ status }) => status).pipe(Effect.provide(NodeHttpClient.layer))

/** What `serve` prints, and the status of its page. */
const serve = (flags: ReadonlyArray<string>, env: Environment = {}) =>
  Effect.gen(function* () {
    const { wrote } = yield* started(["serve", "--emulator", "--port", "0", ...flags], { env })
    const first = yield* wrote(flags.includes("--ui=false") ? /Serving until.*\n/ : /A page.*\n/)
    const origin = /http:\/\/[^/"]+/.exec(first)?.[0] ?? ""
    const page = yield* statusOf(origin)
    const output = yield* wrote(/Serving/)
    return { output, link: /A page to generate images: (\S+)/.exec(output)?.[1], origin, page }
  })

describe("The page of the command serve", () => {
  it.scopedLive("is on by default, and its link has the new key", () =>
    Effect.gen(function* () {
      const { link, origin, output, page } = yield* serve([])
      const key = /OPENAI_API_KEY="([^"]+)"/.exec(output)?.[1]
      expect(link).toBe(`${origin}/#key=${key ?? "none"}`)
      expect(page).toBe(200)
    })
  )

  it.scopedLive("has a link without the key of the user", () =>
    Effect.gen(function* () {
      const { link, origin, output, page } = yield* serve([], { ARTA_SERVER_KEY: "my-secret-key" })
      expect(link).toBe(`${origin}/`)
      expect(output).not.toContain("my-secret-key")
      expect(page).toBe(200)
    })
  )

  it.scopedLive("is off with --ui=false", () =>
    Effect.gen(function* () {
      const { output, page } = yield* serve(["--ui=false"])
      expect(output).not.toContain("A page")
      expect(page).toBe(404)
    })
  )

  it.scopedLive("is off by default where other machines reach the server, and on with --ui", () =>
    Effect.gen(function* () {
      const env = { ARTA_SERVER_KEY: "my-secret-key" }
      const { wrote } = yield* started(["serve", "--emulator", "--port", "0", "--host", "0.0.0.0"], { env })
      expect(yield* wrote(/Serving until.*\n/)).not.toContain("A page")
      expect((yield* serve(["--host", "0.0.0.0", "--ui"], env)).page).toBe(200)
    })
  )
})
