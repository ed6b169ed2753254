import { describe, expect, it } from "@effect/vitest"
import { Chunk, Effect, Layer, Logger, ManagedRuntime, TestClock } from "effect"
import { ArtaApi, ArtaClient, ArtaError, Generation, Polling } from "effect-arta"
import { ArtaEmulator, Fault } from "effect-arta/testing"
import { getEventListeners } from "node:events"
import { afterEach, beforeEach, vi } from "vitest"
import { counts, withEmulator } from "../support/withEmulator.js"
import { emulatorOnPort } from "../support/emulatorOnPort.js"
import type { RawResponse } from "../support/faultServer.js"
import { faultServer, respond } from "../support/faultServer.js"
import { eventually } from "../support/virtualTime.js"

const start = async (options: ArtaEmulator.Options = {}) => {
  const server = ManagedRuntime.make(emulatorOnPort(options))
  const emulator = await server.runPromise(ArtaEmulator.ArtaEmulator)
  const client = ArtaClient.make({ apiKey: "k", ...(await server.runPromise(ArtaEmulator.urls)) })
  return {
    client,
    counts: () => Effect.runPromise(emulator.counts),
    inject: (fault: Fault.Fault) => Effect.runPromise(emulator.inject(fault)),
    stop: () => client.close().then(() => server.dispose())
  }
}

const all = async <A>(items: AsyncIterable<A>): Promise<ReadonlyArray<A>> => {
  const found: Array<A> = []
  for await (const item of items) found.push(item)
  return found
}

const cat = { prompt: "a cat" }
const settings = { polling: Polling.fixed("20 millis") }

const untilItPolls = eventually(Effect.map(counts, ({ status }) => status > 0))

/** Runs a test with a client in virtual time, on an in-memory emulator whose generations take an hour. */
const withVirtualTime = <A, E>(
  test: (client: ArtaClient.ArtaClient) => Effect.Effect<A, E, ArtaEmulator.ArtaEmulator>
) =>
  Effect.gen(function* () {
    const services = Layer.succeed(ArtaApi.ArtaApi, yield* ArtaApi.ArtaApi)
    yield* test(ArtaClient.fromLayer(Layer.merge(services, Layer.setClock(yield* Effect.clock))))
    const { status } = yield* counts
    expect(status).toBeGreaterThan(0)
    yield* TestClock.adjust("2 hours")
    yield* eventually(Effect.map(TestClock.sleeps(), Chunk.isEmpty))
    expect(yield* counts).toMatchObject({ status })
  }).pipe(withEmulator({ queueTime: "1 hour" }))

describe("ArtaClient", () => {
  let service: Awaited<ReturnType<typeof start>>

  describe("on a fast service", () => {
    beforeEach(async () => {
      service = await start()
    })
    afterEach(() => service.stop())

    it("yields the events of a generation", async () => {
      const tags: Array<string> = []
      for await (const event of service.client.generate(cat, settings)) tags.push(event._tag)
      expect([tags.at(0), tags.at(-1)]).toEqual(["Submitted", "Completed"])
      expect(await service.counts()).toMatchObject({ signUp: 1, submit: 1 })
    })

    it("submits a new generation for each iteration", async () => {
      const events = service.client.generate(cat, settings)
      expect(await service.counts()).toMatchObject({ submit: 0 })
      await Promise.all([all(events), all(events)])
      expect(await service.counts()).toMatchObject({ signUp: 1, submit: 2 })
    })

    it("resolves with the generation", async () => {
      const generation = await service.client.run({ ...cat, n: 2, seed: 7 }, settings)
      expect(generation.images).toHaveLength(2)
      expect(generation.request?.seed).toBe(7)
    })

    it("resumes a generation by its id", async () => {
      const [submitted] = await all(service.client.generate(cat, settings))
      const events = await all(service.client.watch(submitted?.recordId ?? "", settings))
      expect(events.map(({ _tag }) => _tag)).toEqual(["Completed"])
      expect(await service.counts()).toMatchObject({ submit: 1 })
    })

    it("submits a generation, and resumes it until its images are ready", async () => {
      const { recordId, request } = await service.client.submit(cat, settings)
      const generation = await service.client.resume(recordId, settings)
      expect(generation).toMatchObject({ recordId, request, missing: 0 })
      expect(await service.counts()).toMatchObject({ submit: 1 })
    })

    it("rejects with the typed error", async () => {
      await expect(service.client.run({ prompt: "" })).rejects.toBeInstanceOf(ArtaError.InvalidRequestError)
      await expect(service.client.run({ prompt: "a", model: "nope" })).rejects.toMatchObject({
        _tag: "UnknownModelError"
      })
      await service.inject(Fault.failGeneration("FAILED", "no cats"))
      await expect(all(service.client.generate(cat, settings))).rejects.toMatchObject({
        _tag: "GenerationFailedError",
        detail: "no cats"
      })
    })
  })

  describe("on a slow service", () => {
    const polls = (least: number) =>
      vi.waitFor(
        async () => {
          expect((await service.counts()).status).toBeGreaterThanOrEqual(least)
        },
        { timeout: 20_000 }
      )

    beforeEach(async () => {
      service = await start({ queueTime: "1 hour" })
    })
    afterEach(() => service.stop())

    it("rejects with an AbortError without a request if the signal is already aborted", async () => {
      await expect(service.client.run(cat, { signal: AbortSignal.abort() })).rejects.toMatchObject({
        name: "AbortError"
      })
      expect(await service.counts()).toMatchObject({ signUp: 0, submit: 0 })
    })

    const reason = new Error("changed my mind")

    describe.each(["first", "later"])("at the moment of its %s call", (call) => {
      beforeEach(async () => {
        if (call === "later") await expect(service.client.run({ prompt: "" })).rejects.toThrow()
      })

      // fault: Submit | The signal aborts at the moment of the call | the signal's reason, no POST
      it.each<[string, (signal: AbortSignal, abort: () => void) => Promise<unknown>]>([
        [
          "a run",
          (signal, abort) => {
            const running = service.client.run(cat, { signal })
            abort()
            return running
          }
        ],
        [
          "an iteration that has not started",
          (signal, abort) => {
            const iterator = service.client.generate(cat, { signal })[Symbol.asyncIterator]()
            abort()
            return iterator.next()
          }
        ],
        [
          "an iteration that has just started",
          (signal, abort) => {
            const next = service.client.generate(cat, { signal })[Symbol.asyncIterator]().next()
            abort()
            return next
          }
        ]
      ])("aborts %s without a submission", async (_, begin) => {
        const controller = new AbortController()
        const abort = () => {
          controller.abort(reason)
        }
        await expect(begin(controller.signal, abort)).rejects.toBe(reason)
        expect(await service.counts()).toMatchObject({ submit: 0 })
      })

      it("closes without a submission", async () => {
        const rejected = expect(service.client.run(cat)).rejects.toThrow()
        await service.client.close()
        await rejected
        expect(await service.counts()).toMatchObject({ submit: 0 })
      })
    })

    it("shares one listener between all calls with the same signal", async () => {
      const warnings: Array<Error> = []
      const listen = (warning: Error) => warnings.push(warning)
      process.on("warning", listen)
      const { signal } = new AbortController()
      const calls = Array.from({ length: 30 }, () =>
        service.client.run(cat, { ...settings, signal }).catch(() => undefined)
      )
      await polls(30)
      expect(getEventListeners(signal, "abort")).toHaveLength(1)
      await service.client.close()
      await Promise.all(calls)
      expect(getEventListeners(signal, "abort")).toEqual([])
      process.off("warning", listen)
      expect(warnings).toEqual([])
    })

    it("throws the signal's reason during an iteration", async () => {
      const controller = new AbortController()
      const seen: Array<string> = []
      const iterate = async () => {
        for await (const { _tag } of service.client.generate(cat, { ...settings, signal: controller.signal })) {
          seen.push(_tag)
          if (_tag === "Queued") controller.abort()
        }
      }
      await expect(iterate()).rejects.toMatchObject({ name: "AbortError" })
      expect(seen).toEqual(["Submitted", "Queued"])
    })

    it("rejects running calls when it is closed", async () => {
      const running = service.client.run(cat, settings)
      await polls(1)
      const rejected = expect(running).rejects.toThrow("The client was closed")
      await service.client.close()
      await rejected
      await expect(service.client.run(cat)).rejects.toThrow()
    })
  })
})

describe("ArtaClient, in virtual time", () => {
  it.effect("rejects with the signal's reason and stops polling at once", () =>
    withVirtualTime((client) =>
      Effect.gen(function* () {
        const controller = new AbortController()
        const running = client.run(cat, { ...settings, signal: controller.signal })
        yield* untilItPolls
        const reason = new Error("changed my mind")
        controller.abort(reason)
        yield* Effect.promise(() => expect(running).rejects.toBe(reason))
      })
    )
  )

  it.effect("stops polling when the loop ends early", () =>
    withVirtualTime((client) =>
      Effect.promise(async () => {
        for await (const { _tag } of client.generate(cat, settings)) if (_tag === "Queued") break
      })
    )
  )
})

describe("ArtaClient, when the service redirects", () => {
  const redirect = respond(307, "", { location: "/elsewhere" })
  const signedUp = respond(200, { localId: "me", idToken: "id", refreshToken: "refresh", expiresIn: "3600" })

  // fault: Submit | A redirect of a submission | `SubmissionUnknownError`, one POST
  it.scopedLive.each<[string, string, RawResponse]>([
    ["submission", "submit", redirect],
    ["status request", "status", respond(200, { record_id: "record-1" })]
  ])("does not follow a redirect of a %s", ([, operation, submit]) =>
    Effect.gen(function* () {
      const { requests, url } = yield* faultServer({
        "/signUp": [signedUp],
        "/text2image/record-1/status": [redirect],
        "/text2image": [submit]
      })
      const client = ArtaClient.make({ apiKey: "k", apiUrl: url, signUpUrl: `${url}/signUp` })
      const rejected = expect(client.run(cat)).rejects.toMatchObject(
        operation === "submit" ? { _tag: "SubmissionUnknownError" } : { _tag: "ResponseError", operation, status: 307 }
      )
      yield* Effect.promise(() => rejected)
      expect(requests.filter((request) => request.includes("/elsewhere"))).toEqual([])
      yield* Effect.promise(() => client.close())
    })
  )
})

it("uses the logger of its layer, also in an iteration", async () => {
  const lines: Array<unknown> = []
  const logger = Logger.replace(
    Logger.defaultLogger,
    Logger.make(({ message }) => {
      lines.push(message)
    })
  )
  const broken = Layer.succeed(ArtaApi.ArtaApi, {
    submit: () => Effect.zipRight(Effect.logInfo("submitting"), Effect.succeed(Generation.RecordId.make("record-1"))),
    status: () => Effect.succeed({ _tag: "Done", images: [{ index: 0, url: "https://a/0" }] })
  })
  await using client = ArtaClient.fromLayer(Layer.merge(broken, logger))
  await all(client.generate(cat))
  expect(lines).toEqual([["submitting"]])
})
