import { HttpClient, HttpClientRequest } from "@effect/platform"
import { NodeHttpClient } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { createHash } from "node:crypto"
import { originOfServer, serverKey, serverWithPage } from "../support/serverPage.js"

const getPage = (headers: Readonly<Record<string, string>> = {}) =>
  Effect.gen(function* () {
    const client = yield* HttpClient.HttpClient
    const request = HttpClientRequest.get(`${yield* originOfServer}/`, { headers })
    const response = yield* client.execute(request)
    return { status: response.status, headers: response.headers, text: yield* response.text }
  }).pipe(Effect.provide(NodeHttpClient.layer))

const contentOf = (element: "style" | "script", html: string) =>
  new RegExp(`<${element}[^>]*>([^]*)</${element}>`).exec(html)?.[1] ?? ""

const hashOf = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`

describe("The page of a server", () => {
  it.scopedLive("needs no key, and contains none", () =>
    Effect.gen(function* () {
      const { headers, status, text } = yield* getPage()
      expect(status).toBe(200)
      expect(headers["content-type"]).toContain("text/html")
      expect(text).toContain("<h1>Generate images</h1>")
      expect(text).not.toContain(serverKey)
      expect(headers["set-cookie"]).toBeUndefined()
      expect(headers["cache-control"]).toBe("no-store")
    }).pipe(Effect.provide(serverWithPage()))
  )

  it.scopedLive("may run its own script and style, and reach its own server", () =>
    Effect.gen(function* () {
      const { headers, text } = yield* getPage()
      const policy = (headers["content-security-policy"] ?? "").split("; ")
      expect(policy).toContain("default-src 'none'")
      expect(policy).toContain(`script-src ${hashOf(contentOf("script", text))}`)
      expect(policy).toContain(`style-src ${hashOf(contentOf("style", text))}`)
      expect(policy).toContain("connect-src 'self'")
      expect(policy).toContain("frame-ancestors 'none'")
      expect(policy.join()).not.toMatch(/unsafe|https?:/)
      // An address in the page would be a request to another server.
      expect(text.replaceAll("http://www.w3.org/2000/svg", "")).not.toMatch(/(https?:)?\/\/\w/)
    }).pipe(Effect.provide(serverWithPage()))
  )

  it.scopedLive("is refused to another site, and under the name of another site", () =>
    Effect.gen(function* () {
      expect((yield* getPage({ origin: "https://evil.test" })).status).toBe(403)
      expect((yield* getPage({ host: "evil.test" })).status).toBe(403)
    }).pipe(Effect.provide(serverWithPage()))
  )

  it.scopedLive("is absent by default", () =>
    Effect.gen(function* () {
      expect((yield* getPage()).status).toBe(404)
    }).pipe(Effect.provide(serverWithPage({}, { key: Redacted.make(serverKey) })))
  )
})
