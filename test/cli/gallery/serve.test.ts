import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import type { IncomingHttpHeaders } from "node:http"
import { request } from "node:http"
import { text } from "node:stream/consumers"
import { started } from "../../support/command.js"
import { png } from "../../support/images.js"
import { dataOf } from "../../../src/cli/shared/page/page.js"

interface Reply {
  readonly status: number | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** Sends a path as it is, which `fetch` would normalize. */
const get = (url: string, path: string, headers: Record<string, string> = {}) =>
  Effect.promise(
    () =>
      new Promise<Reply>((resolve, reject) => {
        const { hostname, port } = new URL(url)
        const sent = request({ hostname, port, path, headers, agent: false }, (response) => {
          text(response).then((body) => {
            resolve({ status: response.statusCode, headers: response.headers, body })
          }, reject)
        })
        sent.on("error", reject)
        sent.end()
      })
  )

/** Serves the gallery of a directory with one image. */
const served = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const parent = yield* fs.makeTempDirectoryScoped()
  const directory = `${parent}/images`
  yield* fs.makeDirectory(directory)
  yield* fs.writeFile(`${directory}/a b#1.png`, png(4, 4))
  yield* fs.writeFile(`${parent}/secret.png`, png(2, 2))
  yield* fs.writeFile(`${directory}/.hidden.png`, png(2, 2))
  yield* fs.symlink(`${parent}/secret.png`, `${directory}/link.png`)
  const line = JSON.stringify({ _tag: "Submitting", key: "k", request: { prompt: "a fox", seed: 1 }, name: "fox" })
  yield* fs.writeFileString(`${directory}/effect-arta.jsonl`, `${line}\n`)
  const command = yield* started(["gallery", directory, "--serve"])
  const [url = ""] = /http:\/\/127\.0\.0\.1:\d+/.exec(yield* command.wrote(/http:.*\n/)) ?? []
  return { fs, directory, url, command }
})

describe("effect-arta gallery --serve", { timeout: 60_000 }, () => {
  it.scopedLive("serves the page and its images, and nothing else", () =>
    Effect.gen(function* () {
      const { fs, directory, url } = yield* served
      const page = yield* get(url, "/")
      expect(page.status).toBe(200)
      expect(page.body).toContain("a%20b%231.png")
      expect(page.body).toContain("connect-src 'self'")
      expect(page.headers["cache-control"]).toBe("no-store")
      expect((yield* get(url, "/index.html")).body).toBe(page.body)
      const image = yield* get(url, "/a%20b%231.png")
      expect(image).toMatchObject({ status: 200, headers: { "content-type": "image/png" } })
      expect(image.headers).toMatchObject({
        "x-content-type-options": "nosniff",
        "cross-origin-resource-policy": "same-origin"
      })
      const again = yield* get(url, "/a%20b%231.png", { "if-none-match": image.headers.etag ?? "" })
      expect(again).toMatchObject({ status: 304, headers: { etag: image.headers.etag, "cache-control": "no-cache" } })
      expect((yield* get(url, "/a%20b%231.png", { "if-none-match": '"0-0"' })).status).toBe(200)
      for (const path of [
        "/effect-arta.jsonl",
        "/.hidden.png",
        "/../secret.png",
        "/..%2Fsecret.png",
        "/%2e%2e/secret.png",
        "/..%5csecret.png",
        "/link.png",
        "/%00.png",
        "/%ff.png",
        "/a/b.png"
      ]) {
        const reply = yield* get(url, path)
        expect([path, reply.status === 404 || reply.status === 400]).toEqual([path, true])
        expect([path, reply.body]).toEqual([path, reply.status === 404 ? "Not found." : ""])
      }
      // It writes nothing.
      expect(yield* fs.exists(`${directory}/index.html`)).toBe(false)
    }).pipe(Effect.provide(NodeContext.layer))
  )

  it.scopedLive("refuses a name that another site has for this machine", () =>
    Effect.gen(function* () {
      const { url } = yield* served
      const { port } = new URL(url)
      for (const [host, status] of [
        [`attacker.example:${port}`, 403],
        ["127.0.0.1:1", 403],
        [`127.0.0.1.attacker.example:${port}`, 403],
        [`localhost:${port}`, 200]
      ] as const) {
        const reply = yield* get(url, "/", { host })
        expect([host, reply.status]).toEqual([host, status])
      }
    }).pipe(Effect.provide(NodeContext.layer))
  )

  it.scopedLive("tells a page what changed in the directory", () =>
    Effect.gen(function* () {
      const { directory, fs, url } = yield* served
      const { version } = JSON.parse(dataOf((yield* get(url, "/")).body)) as { readonly version: string }
      const changes = get(url, `/changes?since=${version}`)
      expect((yield* changes).status).toBe(204)
      yield* fs.writeFile(`${directory}/fox-0.png`, png(3, 5))
      yield* fs.remove(`${directory}/a b#1.png`)
      const isComplete = ({ body }: Reply) => body.includes('"fox"') && body.includes('"/a b#1.png"')
      const { body, headers } = yield* Effect.repeat(Effect.delay(changes, "50 millis"), { until: isComplete })
      expect(headers["cache-control"]).toBe("no-store")
      expect(JSON.parse(body)).toMatchObject({
        requests: [
          { id: "fox", prompt: "a fox", images: [{ file: "fox-0.png", width: 3, height: 5 }] },
          { id: "/a b#1.png", images: [] }
        ]
      })
      expect((yield* get(url, "/changes?since=another.1")).status).toBe(410)
      expect((yield* get(url, "/changes")).status).toBe(400)
    }).pipe(Effect.provide(NodeContext.layer))
  )

  it.scopedLive("serves an image with an extension in capitals, and 404 once it is removed", () =>
    Effect.gen(function* () {
      const { directory, fs, url } = yield* served
      yield* fs.copyFile(`${directory}/a b#1.png`, `${directory}/upper.PNG`)
      const upper = yield* Effect.repeat(Effect.delay(get(url, "/upper.PNG"), "50 millis"), {
        until: ({ status }) => status === 200
      })
      expect(upper.headers["content-type"]).toBe("image/png")
      yield* fs.remove(`${directory}/upper.PNG`)
      expect(yield* get(url, "/upper.PNG")).toMatchObject({ status: 404, body: "Not found." })
    }).pipe(Effect.provide(NodeContext.layer))
  )

  it.scopedLive("ends when it is interrupted, and names a port that is taken", () =>
    Effect.gen(function* () {
      const { command, directory, url } = yield* served
      const other = yield* started(["gallery", directory, "--serve", "--port", new URL(url).port])
      const { code, stderr } = yield* other.ended
      expect(code).toBe(3)
      expect(stderr).toContain("Try another --port.")
      yield* command.interrupt
      const ended = yield* command.ended
      expect(ended.code).toBe(130)
      expect(ended.stdout + ended.stderr).toContain("The page follows the directory.")
    }).pipe(Effect.provide(NodeContext.layer))
  )
})
