import { expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { Fault } from "effect-arta/testing"
import { bodyOf, generate, openAiServer, send } from "../support/openAiServer.js"
import { inject } from "../support/withEmulator.js"

// fault: Server | A record id with characters that a URL reserves | a path at which the server has its images
it.live("The server names a path that gets the images of a generation, whatever its record id is", () =>
  Effect.gen(function* () {
    yield* inject(
      Fault.respond("submit", 200, { body: { record_id: "a/b?c#d e%" } }),
      Fault.respond("status", 403),
      Fault.respond("status", 200, { body: { status: "FAILED", detail: "NSFW" } })
    )
    const failed = yield* generate({ prompt: "a fox" })
    expect(failed.status).toBe(424)
    const [, path = "no path"] = /GET (\S+) returns them/.exec(JSON.stringify(bodyOf(failed))) ?? []
    const found = yield* send(path)
    expect(found.status).toBe(200)
    expect(bodyOf(found)).toMatchObject({ id: "a/b?c#d e%", status: "failed" })
  }).pipe(Effect.provide(openAiServer()))
)
