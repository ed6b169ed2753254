import { NodeContext } from "@effect/platform-node"
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { faultServer, respond } from "../support/faultServer.js"
import { bundleProgram, startProgram } from "../support/program.js"
import { storedSession } from "../support/storedSession.js"

let bundles: string
let program: string

beforeAll(async () => {
  bundles = await mkdtemp(join(tmpdir(), "effect-arta-"))
  program = await bundleProgram("submitTwice", bundles)
})

afterAll(() => rm(bundles, { recursive: true, force: true }))

/** A server without a Keep-Alive header, and a program that has submitted once and submits again after a pause. */
const warm = Effect.fn(function* (pause: number) {
  const server = yield* faultServer({ "/api": [respond(200, { record_id: "rec" })] })
  const options = { apiKey: "k", apiUrl: `${server.url}/api`, tokenFile: yield* storedSession }
  const child = yield* startProgram(program, JSON.stringify(options), String(pause))
  expect(yield* child.nextLine).toBe("warm")
  return { server, child }
}, Effect.provide(NodeContext.layer))

describe.concurrent("A suspended program", { timeout: 60_000 }, () => {
  // fault: Submit | The server ends an idle connection while the process is suspended | nothing, one POST
  it.scopedLive.each([
    ["reset", 200],
    ["close", 200],
    ["reset", 1_200],
    ["close", 1_200]
  ] as const)("submits once after a %s of its connection during %d ms", ([end, pause]) =>
    Effect.gen(function* () {
      const { server, child } = yield* warm(pause)
      yield* child.signal("SIGSTOP")
      server.disconnect(end)
      // The timer must be due when the program continues.
      yield* Effect.sleep(pause + 100)
      yield* child.signal("SIGCONT")
      expect(yield* child.nextLine).toBe("accepted")
      expect(server.requests).toHaveLength(2)
    })
  )

  it.scopedLive("submits on a new connection after a second", () =>
    Effect.gen(function* () {
      const { server, child } = yield* warm(1_200)
      expect(yield* child.nextLine).toBe("accepted")
      expect(new Set(server.ports).size).toBe(2)
    })
  )
})
