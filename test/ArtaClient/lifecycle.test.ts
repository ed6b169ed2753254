import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, FiberId, Layer, ManagedRuntime, Schedule } from "effect"
import { Arta, ArtaApi, ArtaClient, ArtaError, Generation } from "effect-arta"
import { getEventListeners } from "node:events"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { vi } from "vitest"

const cat = { prompt: "a cat" }
const recordId = Generation.RecordId.make("record-1")

const api = (status: Generation.GenerationStatus): ArtaApi.Service => ({
  submit: () => Effect.succeed(recordId),
  status: () => Effect.succeed(status)
})
const done: Generation.GenerationStatus = { _tag: "Done", images: [{ index: 0, url: "https://a/0" }] }
const working = Layer.succeed(ArtaApi.ArtaApi, api(done))
const slow = Layer.succeed(ArtaApi.ArtaApi, api({ _tag: "Queued" }))

const iterator = <A>(items: AsyncIterable<A>) => items[Symbol.asyncIterator]()

const calls: ReadonlyArray<readonly [string, (client: ArtaClient.ArtaClient) => Promise<unknown>]> = [
  ["run", (client) => client.run(cat)],
  ["generate", (client) => iterator(client.generate(cat)).next()],
  ["watch", (client) => iterator(client.watch(recordId)).next()]
]

const expectClosed = async (call: Promise<unknown>) => {
  const error: unknown = await call.then(
    () => undefined,
    (error: unknown) => error
  )
  expect(error).toBeInstanceOf(ArtaClient.ClientClosedError)
  expect(error).toBeInstanceOf(Error)
  expect(error).toMatchObject({ _tag: "ClientClosedError", name: "ClientClosedError" })
  expect(error).toHaveProperty("message", "The client was closed: make another one.")
  expect(error).toHaveProperty("stack", expect.stringContaining("ClientClosedError: The client was closed"))
}

describe("a closed ArtaClient", () => {
  // fault: Composition | A promise client is closed before a call | `ClientClosedError`
  it.each(calls)("rejects a later call of %s with a tagged error", async (_, call) => {
    const client = ArtaClient.fromLayer(working)
    await call(client)
    await client.close()
    await expectClosed(call(client))
  })

  it.each(calls)("rejects the first call of %s with a tagged error", async (_, call) => {
    const client = ArtaClient.fromLayer(working)
    await client.close()
    await expectClosed(call(client))
  })

  // fault: Composition | A promise client is closed during a call | `ClientClosedError`
  it.each(calls)("rejects a running call of %s with a tagged error", async (_, call) => {
    const started = Deferred.unsafeMake<boolean>(FiberId.none)
    const hanging = Layer.succeed(ArtaApi.ArtaApi, {
      submit: () => Effect.zipRight(Deferred.succeed(started, true), Effect.never),
      status: () => Effect.zipRight(Deferred.succeed(started, true), Effect.never)
    })
    const client = ArtaClient.fromLayer(hanging)
    const rejected = expectClosed(call(client))
    await Effect.runPromise(Deferred.await(started))
    await client.close()
    await rejected
  })

  it.each(calls)("rejects a call of %s that still waits for its layer", async (_, call) => {
    const client = ArtaClient.fromLayer(Layer.effect(ArtaApi.ArtaApi, Effect.never))
    const rejected = expectClosed(call(client))
    await client.close()
    await rejected
  })

  it("rejects an iteration between two events", async () => {
    const client = ArtaClient.fromLayer(slow)
    const events = iterator(client.generate(cat))
    await events.next()
    await client.close()
    await expectClosed(events.next())
    expect(await events.return?.()).toEqual({ done: true, value: undefined })
  })

  it("throws the reason of a signal that aborts between two events, and then ends", async () => {
    const client = ArtaClient.fromLayer(slow)
    const controller = new AbortController()
    const events = iterator(client.generate(cat, { signal: controller.signal }))
    await events.next()
    const reason = new Error("changed my mind")
    controller.abort(reason)
    await expect(events.next()).rejects.toBe(reason)
    expect(await events.next()).toEqual({ done: true, value: undefined })
    await client.close()
  })

  it("leaves an iteration ended that had ended before", async () => {
    const client = ArtaClient.fromLayer(working)
    const events = iterator(client.watch(recordId))
    await events.next()
    expect(await events.next()).toEqual({ done: true, value: undefined })
    await client.close()
    expect(await events.next()).toEqual({ done: true, value: undefined })
  })

  it("makes a new error for each call", async () => {
    const client = ArtaClient.fromLayer(working)
    await client.close()
    const results = await Promise.allSettled([client.run(cat), client.run(cat)])
    const reasons = results.map((result): unknown => result.status === "rejected" && result.reason)
    expect(new Set(reasons).size).toBe(2)
  })

  it("keeps the error of a call that fails before the client is closed", async () => {
    const client = ArtaClient.fromLayer(working)
    const rejected = expect(client.run({ prompt: "" })).rejects.toBeInstanceOf(ArtaError.InvalidRequestError)
    await rejected
    await client.close()
  })
})

setFlagsFromString("--expose-gc")
const collectGarbage = runInNewContext("gc") as () => void

describe("an abandoned iterator", () => {
  const client = ArtaClient.fromLayer(slow)
  const { signal } = new AbortController()
  const runtime = ManagedRuntime.make(slow)

  /** Takes one event. Returns the polling schedule, which the iterator holds. */
  const abandon = async (start: (settings: Arta.Settings) => AsyncIterable<unknown>) => {
    const polling = Schedule.spaced("1 hour")
    await iterator(start({ polling })).next()
    return new WeakRef(polling)
  }

  // fault: Composition | An iterator is dropped without `return` | its memory is freed while the client is in use
  it.each<[string, Parameters<typeof abandon>[0]]>([
    ["generate", (settings) => client.generate(cat, settings)],
    ["watch", (settings) => client.watch(recordId, settings)],
    ["generate with a signal", (settings) => client.generate(cat, { ...settings, signal })],
    ["Arta.toAsyncIterable", (settings) => runtime.runSync(Arta.toAsyncIterable(Arta.watch(recordId, settings)))]
  ])("of %s is collected", async (_, start) => {
    const held = await abandon(start)
    await vi.waitFor(
      () => {
        collectGarbage()
        expect(held.deref() === undefined).toBe(true)
      },
      { timeout: 5_000 }
    )
    expect(getEventListeners(signal, "abort")).toEqual([])
  })
})
