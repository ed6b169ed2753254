import { FetchHttpClient } from "@effect/platform"
import { NodeHttpClient } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Stream } from "effect"
import { ImageFile } from "effect-arta"
import { faultServer, head, respond } from "../support/faultServer.js"
import { png } from "../support/images.js"

const whole = respond(200, png(8, 8))

const manualFetch = Layer.provide(
  FetchHttpClient.layer,
  Layer.succeed(FetchHttpClient.RequestInit, { redirect: "manual" })
)

const clients = [
  ["undici", NodeHttpClient.layerUndici],
  ["fetch", manualFetch]
] as const

const targetOf = (request: string | undefined) => request?.split(" ", 2)[1]

const opaque = [
  "X-Sig=a%20b",
  "sig=a+b/c==",
  "path=~user",
  "path=%7Euser",
  "token",
  "a=",
  "a&b&",
  "key=a%2Fb&key=a/b",
  "key=2&key=1&key=2",
  "a=1;b=2",
  "f(x)=*|!$[]{}^`",
  "%",
  "%zz%e9",
  "%c3%a9",
  "a=b=c?d",
  "Signature=%2B%2b%3D&Policy=ey_~-&Expires=1"
]

describe.concurrent.each(clients)("With %s", (_, client) => {
  // fault: Download | A signed URL with any query | the query arrives byte for byte
  it.scopedLive.each(opaque.map((query) => [query] as const))("sends the query ?%s as it came", ([query]) =>
    Effect.gen(function* () {
      const location = `/b%20~c?${query}`
      const { requests, url } = yield* faultServer({ "/a": [respond(302, "", { location })], "/b": [whole] })
      yield* Stream.runDrain(ImageFile.bytes({ index: 0, url: `${url}/a?${query}#top` }))
      expect(requests.map(targetOf)).toEqual([`/a?${query}`, location])
    }).pipe(Effect.provide(client))
  )

  it.scopedLive.each<[string, string, string]>([
    ["spaces and quotes", `a b"'<>`, "a%20b%22%27%3C%3E"],
    ["text that is not ASCII", "ключ=é", "%D0%BA%D0%BB%D1%8E%D1%87=%C3%A9"]
  ])("encodes %s in a query as browsers do", ([, query, encoded]) =>
    Effect.gen(function* () {
      const { requests, url } = yield* faultServer({ "/a": [whole] })
      yield* Stream.runDrain(ImageFile.bytes({ index: 0, url: `${url}/a?${query}` }))
      expect(requests.map(targetOf)).toEqual([`/a?${encoded}`])
    }).pipe(Effect.provide(client))
  )

  // fault: Download | A redirect to an address that is not ASCII | nothing
  it.scopedLive.each<[string, Uint8Array, string]>([
    ["UTF-8", Buffer.from("/é?k=ü"), "/%C3%A9?k=%C3%BC"],
    ["UTF-8 beyond Latin-1", Buffer.from("/日本?k=€"), "/%E6%97%A5%E6%9C%AC?k=%E2%82%AC"],
    ["Latin-1", Buffer.from("/é?k=ü", "latin1"), "/%C3%A9?k=%C3%BC"],
    ["ASCII", Buffer.from("/%E9?k=%FC"), "/%E9?k=%FC"]
  ])("follows a Location in %s", ([, location, target]) =>
    Effect.gen(function* () {
      const [before = "", after = ""] = head(302, { "content-length": 0, location: "|" }).split("|")
      const { requests, url } = yield* faultServer({
        "/a": [{ write: [Buffer.concat([Buffer.from(before), location, Buffer.from(after)])], then: "keep" }],
        "/%": [whole]
      })
      yield* Stream.runDrain(ImageFile.bytes({ index: 0, url: `${url}/a` }))
      expect(requests.map(targetOf)).toEqual(["/a", target])
    }).pipe(Effect.provide(client))
  )

  // fault: Download | A URL with a user and a password | a header for that host only, and no password in an error
  it.scopedLive("sends the user of a URL as a header, to that host only, and shows no password", () =>
    Effect.gen(function* () {
      const elsewhere = yield* faultServer({ "/c": [respond(404, "")] })
      const server = yield* faultServer({
        "/a": [respond(302, "", { location: "/b" })],
        "/b": [respond(302, "", { location: `${elsewhere.url}/c?sig=secret` })]
      })
      const url = server.url.replace("://", "://me:pass%2Fword@")
      const error = yield* Effect.flip(Stream.runDrain(ImageFile.bytes({ index: 0, url: `${url}/a?sig=secret` })))
      const authorization = /^authorization: (.*)$/im
      const basic = `Basic ${Buffer.from("me:pass/word").toString("base64")}`
      expect(server.requests.map((request) => authorization.exec(request)?.[1])).toEqual([basic, basic])
      expect(elsewhere.requests.map((request) => authorization.exec(request)?.[1])).toEqual([undefined])
      expect(error.message).toBe(`Could not download ${server.url}/a: the server returned HTTP 404.`)
      expect(error).toMatchObject({ url: `${server.url}/a?sig=secret` })
    }).pipe(Effect.provide(client))
  )

  it.scopedLive("follows no Location of a response that is no redirect", () =>
    Effect.gen(function* () {
      const { requests, url } = yield* faultServer({ "/a": [respond(403, "", { location: "/b" })], "/b": [whole] })
      const error = yield* Effect.flip(Stream.runDrain(ImageFile.bytes({ index: 0, url: `${url}/a` })))
      expect(error.reason).toContain("HTTP 403")
      expect(new Set(requests.map(targetOf))).toEqual(new Set(["/a"]))
    }).pipe(Effect.provide(client))
  )

  it.scopedLive.each<[string, string | undefined]>([
    ["me@", "me:"],
    [":secret@", ":secret"],
    ["me:100%25@", "me:100%"],
    ["me:100%@", "me:100%"],
    ["", undefined]
  ])("sends the user %j as %j", ([user, sent]) =>
    Effect.gen(function* () {
      const { requests, url } = yield* faultServer({ "/a": [whole] })
      yield* Stream.runDrain(ImageFile.bytes({ index: 0, url: `${url.replace("://", `://${user}`)}/a` }))
      const [, basic] = /^authorization: Basic (.*)$/im.exec(requests.join()) ?? []
      expect(basic).toBe(sent === undefined ? undefined : Buffer.from(sent).toString("base64"))
    }).pipe(Effect.provide(client))
  )
})
