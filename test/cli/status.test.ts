import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { request } from "node:http"
import { text } from "node:stream/consumers"
import { dataOf } from "../../src/cli/shared/page/page.js"
import { command, started } from "../support/command.js"
import { timeout } from "../support/commandWorld.js"
import { editDatabase } from "../support/editDatabase.js"
import { until } from "../support/mcpWorld.js"

/** Requests a path under any host name, which `fetch` would not send. */
const get = (url: string, path: string, host?: string) =>
  Effect.promise(
    () =>
      new Promise<{ readonly status: number | undefined; readonly body: string }>((resolve, reject) => {
        const { hostname, port } = new URL(url)
        const headers = host === undefined ? {} : { host }
        const sent = request({ hostname, port, path, headers, agent: false }, (response) => {
          text(response).then((body) => {
            resolve({ status: response.statusCode, body })
          }, reject)
        })
        sent.on("error", reject)
        sent.end()
      })
  )

describe("effect-arta status --serve", { timeout }, () => {
  it.scopedLive("serves a page and the status of the batches to this machine only", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped()
      const [file, images] = [`${directory}/p.txt`, `${directory}/images`]
      yield* fs.writeFileString(file, "<b>a fox</b>\n")
      expect((yield* command(["batch", file, "-o", images, "--database", "--emulator"])).code).toBe(0)

      const database = `sqlite:${images}/effect-arta.db`
      const server = yield* started(["status", "--serve", "--database", database, "--emulator"])
      const [url = ""] = /http:\S+/.exec(yield* server.wrote(/http:\S+\n/)) ?? []
      const page = yield* get(url, "/")
      expect(page.body).toContain(database)
      expect(page.body).toMatch(/connect-src 'self'; img-src data:/)
      const view = { batches: [{ batch: expect.stringMatching(/^p-/) as string, rows: { saved: 1 } }], runners: [] }
      expect(JSON.parse(dataOf(page.body))).toMatchObject(view)
      expect(JSON.parse((yield* get(url, "/status")).body)).toMatchObject(view)
      expect(yield* get(url, "/p.txt")).toEqual({ status: 404, body: "Not found." })
      expect((yield* get(url, "/status", "attacker.example")).status).toBe(403)

      yield* editDatabase(`${images}/effect-arta.db`, (prefix) => [`DROP TABLE ${prefix}rows`])
      yield* until(Effect.map(get(url, "/status"), ({ status }) => status !== 200))
      expect(yield* get(url, "/status")).toEqual({ status: 503, body: "The database does not respond." })
      yield* server.interrupt
      const { code, stderr } = yield* server.ended
      expect(code).toBe(130)
      expect(stderr).toContain("The page follows the batches.")
    }).pipe(Effect.provide(NodeContext.layer))
  )

  it.live("does not print", () =>
    Effect.gen(function* () {
      const { code, stderr } = yield* command(["status", "--serve", "--json"])
      expect([code, stderr]).toEqual([2, expect.stringContaining("Choose one of them.")])
    })
  )
})
