import { HttpClient, HttpClientRequest } from "@effect/platform"
import { NodeHttpClient } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { networkInterfaces } from "node:os"
import type { Environment } from "../support/command.js"
import { command, started } from "../support/command.js"

const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ family }) => family === "IPv6"))

// Only Linux has all addresses that begin with 127.
const otherLoopbacks = process.platform === "linux" ? ["127.12.0.113"] : []

const args = (flags: ReadonlyArray<string>) => ["serve", "--emulator", "--port", "0", ...flags]

/** What the command prints, and its base URL. */
const serve = (flags: ReadonlyArray<string>, env: Environment = {}) =>
  Effect.gen(function* () {
    const { wrote } = yield* started(args(flags), { env })
    const output = yield* wrote(/Serving until.*\n/)
    return {
      output,
      base: /OPENAI_BASE_URL="(\S+)"/.exec(output)?.[1] ?? "no base",
      key: /OPENAI_API_KEY="(\S+)"/.exec(output)?.[1]
    }
  })

/** The response to a request for the models. */
const models = (base: string, headers: Record<string, string>) =>
  HttpClient.execute(HttpClientRequest.setHeaders(HttpClientRequest.get(`${base}/models`), headers)).pipe(
    Effect.tap(({ text }) => text),
    Effect.provide(NodeHttpClient.layer)
  )

const bearer = (key: string) => ({ authorization: `Bearer ${key}` })

const refused = (flags: ReadonlyArray<string>, env: Environment = {}) =>
  Effect.map(command(args(flags), { env }), ({ code, stderr, stdout }) => {
    expect(stdout).toBe("")
    return { code, stderr: stderr.trim() }
  })

describe.concurrent("The options of the command serve", () => {
  it.scopedLive.each(["localhost", "127.0.0.1", ...otherLoopbacks, ...(hasIpv6 ? ["::1", "[::1]"] : [])])(
    "need no key on %s, which no other machine reaches",
    (host) =>
      Effect.gen(function* () {
        const { base, key = "", output } = yield* serve(["--host", host])
        expect(output).toContain(
          "\nServing until you press Ctrl-C. Clients of OpenAI use this base URL and this key.\n"
        )
        if (host.includes("::1")) expect(base).toContain("http://[::1]:")
        expect((yield* models(base, bearer(key))).status).toBe(200)
      })
  )

  it.effect.each(["localhost.example", "127.0.0.1.example", "my-localhost", "::1:2", "1127.0.0.1"])(
    "need a key of the user on %s",
    (host) =>
      Effect.gen(function* () {
        const { code, stderr } = yield* refused(["--host", host])
        expect(code).toBe(2)
        expect(stderr).toContain(
          `Other machines can reach ${host}, so the server needs a key of yours: set ARTA_SERVER_KEY, or add --key KEY. ` +
            "For example: ARTA_SERVER_KEY=$(openssl rand -hex 24)"
        )
      })
  )

  it.scopedLive("take a key, which the variables override and other keys do not replace", () =>
    Effect.gen(function* () {
      const { base, key, output } = yield* serve(["--key", "one-key"], { ARTA_SERVER_KEY: "other-key" })
      expect(key).toBeUndefined()
      expect(output).toContain("Clients of OpenAI use this base URL and your key.\n")
      expect((yield* models(base, bearer("one-key"))).status).toBe(200)
      expect((yield* models(base, bearer("other-key"))).status).toBe(401)

      const fromVariable = yield* serve([], { ARTA_SERVER_KEY: "other-key" })
      expect((yield* models(fromVariable.base, bearer("other-key"))).status).toBe(200)
      const empty = yield* serve([], { ARTA_SERVER_KEY: "" })
      expect((yield* models(empty.base, bearer(empty.key ?? "none"))).status).toBe(200)
    })
  )

  it.effect.each(["my key", " key", "key ", "schlüssel"])("refuse the key %j, which no header carries", (key) =>
    Effect.gen(function* () {
      const { code, stderr } = yield* refused(["--key", key])
      expect(code).toBe(2)
      expect(stderr).toContain("The key must have ASCII characters only, without spaces.")
      expect((yield* refused([], { ARTA_SERVER_KEY: key })).code).toBe(2)
    })
  )

  it.scopedLive.each<[string, string, Record<string, string | undefined>]>([
    [
      "origins",
      " https://a.example/ ,app+x-2.y://b.example:8080,null",
      {
        "https://a.example": "https://a.example",
        "app+x-2.y://b.example:8080": "app+x-2.y://b.example:8080",
        null: "null",
        "https://c.example": undefined
      }
    ],
    ["all origins", "https://a.example,*", { "https://c.example": "*" }]
  ])("let pages of %s use the server with --cors", ([, cors, expected]) =>
    Effect.gen(function* () {
      const { base, key = "" } = yield* serve(["--cors", cors])
      for (const [origin, allowed] of Object.entries(expected)) {
        const { headers } = yield* models(base, { ...bearer(key), origin })
        expect(headers["access-control-allow-origin"], origin).toBe(allowed)
      }
    })
  )

  it.scopedLive("let no page of another origin use the server by default", () =>
    Effect.gen(function* () {
      const { base, key = "" } = yield* serve([])
      const { headers } = yield* models(base, { ...bearer(key), origin: "https://a.example" })
      expect(headers["access-control-allow-origin"]).toBeUndefined()
    })
  )

  it.effect.each([
    "a.example",
    "https://a.example/path",
    "https://a.example,b.example",
    "https://",
    "https:// a",
    "://a",
    "1a://b",
    ""
  ])("refuse --cors %j", (cors) =>
    Effect.gen(function* () {
      const { code, stderr } = yield* refused(["--cors", cors])
      expect(code).toBe(2)
      expect(stderr).toContain("--cors must be origins such as https://chat.example.com, or *.")
    })
  )

  it.effect.each(["203.0.113.7", "no-such-host.invalid"])("say that this machine has no address %s", (host) =>
    Effect.gen(function* () {
      const { code, stderr } = yield* refused(["--host", host, "--key", "k"])
      expect(code).toBe(3)
      expect(stderr).toContain(
        `This machine has no address "${host}". Use --host 127.0.0.1, or 0.0.0.0 for all its addresses.`
      )
    })
  )

  it.scopedLive.each(["0.0.0.0", ...(hasIpv6 ? ["::"] : [])])("print an address of this machine for %s", (host) =>
    Effect.gen(function* () {
      const { base } = yield* serve(["--host", host, "--key", "a-key"])
      expect(base).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/v1$/)
      expect((yield* models(base, bearer("a-key"))).status).toBe(200)
    })
  )
})
