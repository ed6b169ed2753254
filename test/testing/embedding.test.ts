import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Arta } from "effect-arta"
import { ArtaEmulator, Fault } from "effect-arta/testing"
import { emulatorOnPort } from "../support/emulatorOnPort.js"
import { runToEnd } from "../support/withEmulator.js"
import { makeWitness } from "../support/witness.js"

const submitUrl = Effect.map(ArtaEmulator.urls, ({ apiUrl }) => `${apiUrl}/text2image`)

/** What a browser asks before a page sends a request with a token. */
const preflight = (url: string, method: string) =>
  Effect.promise(() =>
    fetch(url, {
      method: "OPTIONS",
      headers: {
        origin: "https://page.example",
        "access-control-request-method": method,
        "access-control-request-headers": "authorization,content-type"
      }
    })
  )

describe("the emulator on a port, for web pages", () => {
  it.live.each(["POST", "GET"])("allows a %s with a token", (method) =>
    Effect.gen(function* () {
      const { headers, status } = yield* preflight(yield* submitUrl, method)
      expect(status).toBe(204)
      expect(headers.get("access-control-allow-origin")).toBe("*")
      expect(headers.get("access-control-allow-headers")).toContain("authorization")
      expect(headers.get("access-control-allow-methods")).toContain(method)
      const emulator = yield* ArtaEmulator.ArtaEmulator
      expect(yield* emulator.requests).toEqual([])
    }).pipe(Effect.provide(emulatorOnPort()))
  )

  it.live("lets a page read every response, and when to try again", () =>
    Effect.gen(function* () {
      const url = yield* submitUrl
      const response = yield* Effect.promise(() => fetch(url, { method: "POST" }))
      expect(response.status).toBe(429)
      expect(response.headers.get("access-control-allow-origin")).toBe("*")
      expect(response.headers.get("access-control-expose-headers")).toBe("date,retry-after")
    }).pipe(
      Effect.provide(emulatorOnPort({ faults: [Fault.respond("submit", 429, { headers: { "retry-after": "5" } })] }))
    )
  )

  it.live("allows no page if `cors` is off", () =>
    Effect.gen(function* () {
      const { headers } = yield* preflight(yield* submitUrl, "POST")
      expect(headers.get("access-control-allow-origin")).toBeNull()
    }).pipe(Effect.provide(emulatorOnPort({ cors: false })))
  )
})

describe("the emulator in a traced program", () => {
  const routes = (witness: ReturnType<typeof makeWitness>) =>
    witness.spans.filter(({ attributes }) => attributes.has("http.route")).map(({ name }) => name)

  it.effect("adds nothing to the spans of its callers", () => {
    const witness = makeWitness()
    return Effect.gen(function* () {
      yield* runToEnd(witness.watch(Arta.run({ prompt: "a cat" })))
      expect(witness.spans.map(({ name }) => name)).toContain("ArtaApi.submit")
      expect(routes(witness)).toEqual([])
    }).pipe(Effect.provide(Layer.fresh(ArtaEmulator.layerArta())))
  })
})
