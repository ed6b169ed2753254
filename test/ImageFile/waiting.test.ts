import { HttpClient } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Clock, Duration, Effect, Either, Layer, Schedule, Stream } from "effect"
import { ArtaApi, Generation, ImageFile } from "effect-arta"
import { png, webp } from "../support/imageFiles.js"
import { makeStreamResponse } from "../support/response.js"
import { runToEnd } from "../support/withEmulator.js"

const recordId = Generation.RecordId.make("record-1")

interface Reply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Stream.Stream<Uint8Array>
  /** When the headers are sent. Default: at once. */
  readonly after?: Duration.DurationInput
}

const whole: Reply = { status: 200, body: Stream.make(png) }

/** One byte every so many seconds. */
const dripping = (image: Uint8Array, seconds: number): Reply => ({
  status: 200,
  body: Stream.fromIterable(Array.from(image, (byte) => new Uint8Array([byte]))).pipe(
    Stream.schedule(Schedule.spaced(Duration.seconds(seconds)))
  )
})

const noApi = Layer.succeed(ArtaApi.ArtaApi, {
  submit: () => Effect.dieMessage("No."),
  status: () => Effect.succeed({ _tag: "InProgress" })
})

/** An image host in virtual time that repeats its last reply, and the seconds at which it got its requests. */
const imageHost = (...replies: ReadonlyArray<Reply>) => {
  const requestedAt: Array<number> = []
  const client = HttpClient.make((request) =>
    Effect.gen(function* () {
      const {
        after = 0,
        body = Stream.empty,
        ...head
      } = replies[Math.min(requestedAt.length, replies.length - 1)] ?? whole
      requestedAt.push((yield* Clock.currentTimeMillis) / 1000)
      yield* Effect.sleep(after)
      return makeStreamResponse(request, head, body)
    })
  )
  return { requestedAt, layer: Layer.merge(Layer.succeed(HttpClient.HttpClient, client), noApi) }
}

const image = { index: 0, url: "https://images.test/0" }

/** An effect's result, and how many seconds it took until then. */
const timed = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const start = yield* Clock.currentTimeMillis
    const result = yield* effect
    return [((yield* Clock.currentTimeMillis) - start) / 1000, result] as const
  })

/** The result of loading one image, and when it was there. */
const load = (host: ReturnType<typeof imageHost>, settings?: ImageFile.Settings) =>
  Effect.gen(function* () {
    const loaded = timed(ImageFile.load({ recordId, images: [image] }, settings))
    const [seconds, [result]] = yield* runToEnd(Effect.provide(loaded, host.layer), "1 hour")
    return {
      seconds,
      result: Either.mapLeft(result ?? Either.left(undefined), (e) => e?.reason)
    }
  })

const gaps = (times: ReadonlyArray<number>) => times.slice(1).map((time, index) => time - (times[index] ?? 0))

describe("An image that is not there yet", () => {
  // fault: Download | 404 or 425 right after the generation | the image, within 30 seconds
  it.effect.each([202, 404, 425])("is waited for after %d", (status) =>
    Effect.gen(function* () {
      const host = imageHost(...Array.from({ length: 6 }, () => ({ status })), whole)
      const { result, seconds } = yield* load(host)
      expect(Either.isRight(result)).toBe(true)
      expect(host.requestedAt).toHaveLength(7)
      expect(seconds).toBeLessThan(30)
    })
  )

  it.effect.each([202, 404, 425])("is given up after half a minute of %d", (status) =>
    Effect.gen(function* () {
      const host = imageHost({ status })
      const { result, seconds } = yield* load(host)
      expect(result).toEqual(Either.left(`the server returned HTTP ${String(status)}`))
      expect(seconds).toBeGreaterThan(29)
      expect(seconds).toBeLessThan(36)
    })
  )

  it.effect("is not waited for beyond the timeout", () =>
    Effect.gen(function* () {
      const { result, seconds } = yield* load(imageHost({ status: 404 }), { timeout: "10 seconds" })
      expect(result).toEqual(Either.left("no complete image within 10s: the server returned HTTP 404"))
      expect(seconds).toBe(10)
    })
  )
})

describe("Retry-After of an image host", () => {
  // fault: Download | A rate limit with `Retry-After` | the image, never requested sooner
  it.effect.each([
    ...[425, 429, 503, 404, 500].map((status) => [status, "20", 20] as const),
    [429, "Thu, 01 Jan 1970 00:00:25 GMT", 25],
    [429, "0", 0]
  ] as const)("%d with %s is honored", ([status, header, wait]) =>
    Effect.gen(function* () {
      const host = imageHost(
        ...Array.from({ length: 3 }, () => ({ status, headers: { "retry-after": header } })),
        whole
      )
      const { result } = yield* load(host)
      expect(Either.isRight(result)).toBe(true)
      expect(host.requestedAt).toHaveLength(4)
      expect(gaps(host.requestedAt)[0]).toBeGreaterThanOrEqual(wait)
      if (header === "20") for (const gap of gaps(host.requestedAt)) expect(gap).toBeGreaterThanOrEqual(20)
    })
  )

  // fault: Download | A refusal with `Retry-After` | the image, never requested sooner
  it.effect.each([400, 401, 403, 409, 410, 423])("is honored with the refusal %d", (status) =>
    Effect.gen(function* () {
      const host = imageHost(...Array.from({ length: 3 }, () => ({ status, headers: { "retry-after": "20" } })), whole)
      const { result } = yield* load(host)
      expect(Either.isRight(result)).toBe(true)
      expect(host.requestedAt).toHaveLength(4)
      for (const gap of gaps(host.requestedAt)) expect(gap).toBeGreaterThanOrEqual(20)
    })
  )

  // fault: Download | `Retry-After` longer than the rest of the timeout | `DownloadError` at once, which names it
  it.effect.each([
    ["3600", {}, "1h"],
    ["30", { timeout: "20 seconds" }, "30s"]
  ] as const)("%s fails at once if the timeout is shorter", ([header, settings, shown]) =>
    Effect.gen(function* () {
      const host = imageHost({ status: 429, headers: { "retry-after": header } })
      const { result, seconds } = yield* load(host, settings)
      expect(result).toEqual(Either.left(`the server returned HTTP 429 and asks to wait ${shown}`))
      expect(seconds).toBe(0)
      expect(host.requestedAt).toHaveLength(1)
    })
  )

  it.effect("is honored until the timeout", () =>
    Effect.gen(function* () {
      const host = imageHost({ status: 503, headers: { "retry-after": "50" } })
      const { result, seconds } = yield* load(host)
      expect(result).toEqual(Either.left("the server returned HTTP 503 and asks to wait 50s"))
      expect(host.requestedAt).toHaveLength(6)
      expect(seconds).toBeLessThanOrEqual(300)
    })
  )
})

describe("A connection that stays open after the end of an image", () => {
  // fault: Download | A server that sends nothing more after a whole image | the image, 5 seconds later
  it.effect("is waited for only for 5 seconds", () =>
    Effect.gen(function* () {
      const host = imageHost({ status: 200, body: Stream.concat(Stream.make(png), Stream.never) })
      const { result, seconds } = yield* load(host)
      expect(Either.map(result, ({ bytes }) => bytes.length)).toEqual(Either.right(png.length))
      expect(seconds).toBe(5)
      expect(host.requestedAt).toHaveLength(1)
    })
  )
})

describe("An image of one byte a second", () => {
  const slow = dripping(png, 1)

  // fault: Download | One byte a second | `DownloadError` after the timeout
  it.effect("is given up after five minutes", () =>
    Effect.gen(function* () {
      const host = imageHost(slow)
      const { result, seconds } = yield* load(host)
      expect(result).toEqual(Either.left("no complete image within 5m"))
      expect(seconds).toBe(300)
      expect(host.requestedAt).toHaveLength(1)
    })
  )

  it.effect("is loaded with a longer timeout", () =>
    Effect.gen(function* () {
      const { result, seconds } = yield* load(imageHost(dripping(webp, 15)), { timeout: "10 minutes" })
      expect(Either.isRight(result)).toBe(true)
      expect(seconds).toBeGreaterThan(400)
    })
  )

  it.effect("ends a stream of its bytes", () =>
    Effect.gen(function* () {
      const read = Stream.runDrain(ImageFile.bytes(image, { timeout: "1 minute" }))
      const [seconds, error] = yield* runToEnd(timed(Effect.flip(read)))
      expect(error.reason).toBe("no complete image within 1m")
      expect(seconds).toBe(60)
    }).pipe(Effect.provide(imageHost(slow).layer))
  )

  // fault: Download | An image host sends no headers, or redirects endlessly | `DownloadError` within the timeout
  it.effect.each<[string, Reply]>([
    ["no headers", { status: 200, after: "1 hour" }],
    ["redirects", { status: 302, headers: { location: "/next" }, after: "2 seconds" }],
    ["slow headers, and a body without end", { ...dripping(png, 1), after: "2 seconds" }]
  ])("ends a stream of its bytes that has %s", ([, reply]) =>
    Effect.gen(function* () {
      const read = Stream.runDrain(ImageFile.bytes(image, { timeout: "5 seconds" }))
      const [seconds, error] = yield* runToEnd(timed(Effect.flip(read)))
      expect(error.reason).toBe("no complete image within 5s")
      expect(seconds).toBe(5)
    }).pipe(Effect.provide(imageHost(reply).layer))
  )

  it.effect("is complete although its connection stays open until the timeout", () =>
    Effect.gen(function* () {
      const chunks = yield* runToEnd(Stream.runCollect(ImageFile.bytes(image, { timeout: "6 seconds" })))
      expect(Buffer.concat([...chunks])).toEqual(Buffer.from(png))
    }).pipe(
      Effect.provide(
        imageHost({ status: 200, body: Stream.concat(Stream.make(png), Stream.never), after: "2 seconds" }).layer
      )
    )
  )

  it.effect("counts only the time that the server takes", () =>
    Effect.gen(function* () {
      const pieces = Stream.make(png.subarray(0, 50), png.subarray(50, 100), png.subarray(100))
      const host = imageHost({ status: 200, body: Stream.tap(pieces, () => Effect.sleep("10 seconds")) })
      const read = Stream.runForEach(ImageFile.bytes(image, { timeout: "31 seconds" }), () => Effect.sleep("1 minute"))
      const [seconds] = yield* runToEnd(timed(Effect.provide(read, host.layer)))
      expect(seconds).toBe(210)
    })
  )
})
