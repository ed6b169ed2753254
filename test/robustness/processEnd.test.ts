import { NodeContext } from "@effect/platform-node"
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { RawResponse } from "../support/faultServer.js"
import { faultServer, respond } from "../support/faultServer.js"
import { bundleProgram, startProgram } from "../support/program.js"
import { storedSession } from "../support/storedSession.js"

let bundles: string
let program: string

beforeAll(async () => {
  bundles = await mkdtemp(join(tmpdir(), "effect-arta-"))
  program = await bundleProgram("submitOver", bundles)
})

afterAll(() => rm(bundles, { recursive: true, force: true }))

const outcomes: ReadonlyArray<readonly [outcome: string, response: RawResponse, ...args: ReadonlyArray<string>]> = [
  ["Some", respond(200, { record_id: "rec" })],
  ["SubmissionUnknownError", { then: "reset" }],
  ["None", { then: "silence" }, "100"]
]

// The time limit of a submission is a minute: whatever waited for it would make the test time out.
describe.concurrent.each(["fetch", "undici", "NodeArta"])("A program over %s", { timeout: 40_000 }, (transport) => {
  // fault: Process | The last request has ended: with a response, a failure or an interruption | the process ends, long before the request's time limit
  it.scopedLive.each(outcomes)("ends after its last request, which ends with %s", ([outcome, response, ...args]) =>
    Effect.gen(function* () {
      const { url } = yield* faultServer({ "/text2image": [response] })
      const options = { apiKey: "k", apiUrl: url, tokenFile: yield* storedSession }
      const child = yield* startProgram(program, transport, JSON.stringify(options), ...args)
      expect(yield* child.nextLine).toBe(outcome)
      expect(yield* child.ended).toBe("ended with 0")
    }).pipe(Effect.provide(NodeContext.layer))
  )
})
