import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, Schema } from "effect"
import { Arta } from "effect-arta"
import { Fault } from "effect-arta/testing"
import {
  any,
  awaitSubmissions,
  bodyOf,
  containing,
  eventsOf,
  generate,
  matching,
  openAiServer,
  send,
  withFields
} from "../support/openAiServer.js"

const fox = { prompt: "a fox", seed: 7, n: 2 }

const list = Effect.map(send("/v1/images/generations"), bodyOf)

const record = (recordId: string, query = "") => send(`/v1/images/generations/${recordId}${query}`)

const decodeList = Schema.decodeUnknownSync(
  Schema.Struct({ data: Schema.Array(Schema.Record({ key: Schema.String, value: Schema.Unknown })) })
)

/** The first generation in the list, once it has a status. */
const listedAs = (status: string) =>
  Effect.repeat(
    Effect.delay(
      Effect.map(list, (body) => decodeList(body).data[0] ?? {}),
      "5 millis"
    ),
    { until: (first) => first["status"] === status }
  )

describe.concurrent("A generation of this server", { timeout: 60_000 }, () => {
  it.live("is found from its submission to its images", () =>
    Effect.gen(function* () {
      expect(yield* list).toEqual({ object: "list", data: [] })
      const client = yield* Effect.fork(generate(fox))
      const running = yield* listedAs("in_progress")
      const recordId = String(running["id"])
      const request = {
        prompt: "a fox",
        model: "Flux",
        n: 2,
        negative_prompt: any(String),
        steps: 30,
        guidance_scale: 7,
        aspect_ratio: "1:1",
        seed: 7
      }
      const view = { id: recordId, object: "image.generation", record_id: recordId, created: any(Number), request }
      expect(running).toEqual({ ...view, status: "in_progress" })
      expect(Math.abs(Number(running["created"]) - Date.now() / 1000)).toBeLessThan(60)
      expect(bodyOf(yield* record(recordId))).toEqual({ ...view, status: "in_progress" })

      yield* Fiber.join(client)
      expect(bodyOf(yield* record(recordId))).toEqual({
        ...view,
        status: "completed",
        data: [{ b64_json: any(String) }, { b64_json: any(String) }],
        output_format: "png"
      })
      expect((yield* list)["data"]).toEqual([{ ...view, status: "completed" }])
    }).pipe(Effect.provide(openAiServer({ queueTime: "500 millis", drawTime: "5 seconds" })))
  )

  it.live("that failed is listed with its reason", () =>
    Effect.gen(function* () {
      yield* generate(fox)
      const failed = yield* listedAs("failed")
      expect(failed["error"]).toMatchObject({ code: "generation_failed", message: containing("NSFW: not that") })
      const recordId = String(failed["id"])
      // Only the service knows whether it is still so.
      expect(bodyOf(yield* record(recordId))).toMatchObject({
        status: "failed",
        request: withFields({ prompt: "a fox" }),
        error: withFields({ code: "generation_failed" })
      })
      expect(eventsOf(yield* record(recordId, "?stream=true"))).toEqual([
        withFields({ error: withFields({ code: "generation_failed" }) })
      ])
    }).pipe(Effect.provide(openAiServer({ faults: [Fault.failGeneration("NSFW", "not that")] })))
  )

  it.live("is not listed before it is accepted, or if it was not", () =>
    Effect.gen(function* () {
      yield* generate(fox)
      const client = yield* Effect.fork(generate(fox))
      yield* awaitSubmissions(2)
      expect((yield* list)["data"]).toEqual([])
      yield* Fiber.join(client)
      expect((yield* list)["data"]).toEqual([])
    }).pipe(
      Effect.provide(
        openAiServer({ faults: [Fault.respond("submit", 402), Fault.hang("submit")] }, { timeout: "1 second" })
      )
    )
  )

  it.live("is listed before those that are older", () =>
    Effect.gen(function* () {
      for (const prompt of ["a fox", "an owl", "a hare"]) {
        yield* generate({ prompt })
        yield* Effect.sleep("5 millis")
      }
      expect((yield* list)["data"]).toMatchObject(
        ["a hare", "an owl", "a fox"].map((prompt) => ({ request: { prompt } }))
      )
    }).pipe(Effect.provide(openAiServer()))
  )

  it.live.each([
    { wants: "?stream=true", headers: {}, isStream: true },
    { wants: "?a=1&stream=true&b=2", headers: {}, isStream: true },
    { wants: "", headers: { accept: "text/event-stream" }, isStream: true },
    { wants: "?stream=false", headers: {}, isStream: false },
    { wants: "?stream=trueish", headers: {}, isStream: false },
    { wants: "?upstream=true", headers: {}, isStream: false },
    { wants: "", headers: { accept: "application/json" }, isStream: false }
  ])("sends its events with $wants and $headers: $isStream", ({ headers, isStream, wants }) =>
    Effect.gen(function* () {
      const recordId = String(bodyOf(yield* generate(fox))["record_id"])
      const response = yield* send(`/v1/images/generations/${recordId}${wants}`, { headers })
      expect(response.headers.get("content-type")?.includes("text/event-stream")).toBe(isStream)
    }).pipe(Effect.provide(openAiServer()))
  )
})

describe.concurrent("A generation of another server", { timeout: 60_000 }, () => {
  it.live("is found by its record id, at every status", () =>
    Effect.gen(function* () {
      const { recordId } = yield* Arta.submit(fox)
      const view = { id: recordId, object: "image.generation", record_id: recordId }
      expect(bodyOf(yield* record(recordId))).toEqual({ ...view, status: matching(/queued|in_progress/) })
      const progress = eventsOf(yield* record(recordId, "?stream=true"))
      expect(progress.at(-1)).toMatchObject({ type: "image_generation.completed", index: 1, record_id: recordId })
      expect(Math.abs(Number(progress.at(-1)?.["created_at"]) - Date.now() / 1000)).toBeLessThan(60)
      expect(progress[0]).toEqual({
        type: "arta.progress",
        record_id: recordId,
        status: matching(/queued|in_progress/),
        elapsed_seconds: any(Number)
      })
      expect(bodyOf(yield* record(recordId))).toEqual({
        ...view,
        status: "completed",
        data: [{ b64_json: any(String) }, { b64_json: any(String) }],
        output_format: "png"
      })
    }).pipe(Effect.provide(openAiServer({ queueTime: "2 seconds", drawTime: "2 seconds" })))
  )

  it.live("that failed has its reason", () =>
    Effect.gen(function* () {
      const { recordId } = yield* Arta.submit(fox)
      yield* Effect.flip(Arta.resume(recordId))
      expect(bodyOf(yield* record(recordId))).toEqual({
        id: recordId,
        object: "image.generation",
        record_id: recordId,
        status: "failed",
        error: withFields({ code: "generation_failed", message: containing("NSFW: not that"), record_id: recordId })
      })
    }).pipe(Effect.provide(openAiServer({ faults: [Fault.failGeneration("NSFW", "not that")] })))
  )

  it.live.each([
    { status: 404, code: "not_found", says: /^The service has no generation rec\.$/ },
    { status: 410, code: "not_found", says: /^The service has no generation rec\.$/ },
    { status: 403, code: "response", says: /HTTP 403/ }
  ])("that the service does not show is an error: $status", ({ code, says, status }) =>
    Effect.gen(function* () {
      const response = yield* record("rec")
      expect(response.status).toBe(code === "not_found" ? 404 : 424)
      expect(bodyOf(response)["error"]).toMatchObject({ code, message: matching(says) })
    }).pipe(Effect.provide(openAiServer({ faults: [Fault.respond("status", status)] })))
  )
})
