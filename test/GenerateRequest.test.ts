import { describe, expect, it } from "@effect/vitest"
import { Effect, Either, Random, Schema, Stream } from "effect"
import { Arta, GenerateRequest } from "effect-arta"
import { ArtaEmulator } from "effect-arta/testing"
import { inspect } from "node:util"

const submitted = (options: GenerateRequest.Options) =>
  Stream.runHead(Arta.generate(options)).pipe(
    Effect.flatten,
    Effect.map((event) => (event._tag === "Submitted" ? event.request : undefined))
  )

const submits = Effect.flatMap(ArtaEmulator.ArtaEmulator, ({ counts }) => Effect.map(counts, ({ submit }) => submit))

const user = (content: GenerateRequest.Message["content"]): GenerateRequest.Message => ({ role: "user", content })

describe("GenerateRequest", () => {
  it.effect("fills in every default", () =>
    Effect.gen(function* () {
      const request = yield* submitted({ prompt: "a cat" })
      expect(request).toMatchObject({
        prompt: "a cat",
        model: "Flux",
        negativePrompt: "blurry, deformed hands, ugly",
        n: 1,
        guidanceScale: 7,
        numInferenceSteps: 30,
        aspectRatio: "1:1"
      })
      expect(request?.seed).toBeGreaterThanOrEqual(9_999)
      expect(request?.seed).toBeLessThanOrEqual(99_999_999)
    }).pipe(Effect.provide(ArtaEmulator.layerArta()))
  )

  it.effect("keeps the given options, and treats undefined as absent", () =>
    Effect.gen(function* () {
      const given = {
        prompt: "a cat",
        negativePrompt: "",
        n: 3,
        guidanceScale: 0,
        numInferenceSteps: 1,
        aspectRatio: "16:9",
        seed: 0
      }
      expect(yield* submitted({ ...given, model: "flux-dev" })).toMatchObject({ ...given, model: "F Dev" })
      expect(yield* submitted({ prompt: "a cat", n: undefined, seed: undefined })).toMatchObject({ n: 1 })
    }).pipe(Effect.provide(ArtaEmulator.layerArta()))
  )

  it.effect("draws the seed and one of several models from the fiber's Random", () =>
    Effect.gen(function* () {
      const draw = Effect.suspend(() =>
        submitted({ prompt: "a cat", model: "gpt-image" }).pipe(Effect.withRandom(Random.make("same")))
      )
      const [first, second] = yield* Effect.all([draw, draw])
      expect(first).toEqual(second)
      expect(["GPT4o", "High GPT4o", "GPT4o Ghibli"]).toContain(first?.model)
    }).pipe(Effect.provide(ArtaEmulator.layerArta()))
  )

  it.effect.each<[string, ReadonlyArray<GenerateRequest.Message>, string]>([
    ["one user message", [user("cat")], "cat"],
    [
      "the last consecutive user messages",
      [user("a"), { role: "assistant", content: "b" }, user("c"), user("d")],
      "c\nd"
    ],
    ["user messages before an assistant message", [user("c"), { role: "assistant", content: { tool: 1 } }], "c"],
    [
      "text parts",
      [
        user([
          { type: "text", text: "a" },
          { type: "image", text: null },
          { type: "text", text: "b" }
        ])
      ],
      "a\nb"
    ],
    ["blank text", [user("  "), user("cat"), user([])], "cat"]
  ])("takes the prompt from messages: %s", ([, messages, prompt]) =>
    Effect.gen(function* () {
      expect((yield* submitted({ messages }))?.prompt).toBe(prompt)
      expect((yield* submitted({ messages, prompt: "a dog" }))?.prompt).toBe("a dog")
    }).pipe(Effect.provide(ArtaEmulator.layerArta()))
  )

  it.effect.each<[GenerateRequest.Options | Record<string, unknown>, string, string, RegExp]>([
    [{}, "prompt", "undefined", /not blank/],
    [{ prompt: "" }, "prompt", '""', /not blank/],
    [{ prompt: " \n" }, "prompt", '" \\n"', /not blank/],
    [{ prompt: "", messages: [user("cat")] }, "prompt", '""', /not blank/],
    [{ messages: [] }, "messages", "[]", /user message/],
    [{ messages: [{ role: "assistant", content: "hi" }] }, "messages", '[{"role":"assistant","content":"hi"}]', /user/],
    [{ messages: "cat" }, "messages", '"cat"', /messages, each with/],
    [{ prompt: "cat", n: 0 }, "n", "0", /positive integer/],
    [{ prompt: "cat", n: 1.5 }, "n", "1.5", /positive integer/],
    [{ prompt: "cat", n: "2" }, "n", '"2"', /positive integer/],
    [{ prompt: "cat", n: Number.NaN }, "n", "NaN", /positive integer/],
    [{ prompt: "cat", numInferenceSteps: -1 }, "numInferenceSteps", "-1", /positive integer/],
    [{ prompt: "cat", guidanceScale: Number.NaN }, "guidanceScale", "NaN", /number, zero or more/],
    [{ prompt: "cat", guidanceScale: -1 }, "guidanceScale", "-1", /zero or more/],
    [{ prompt: "cat", aspectRatio: "wide" }, "aspectRatio", '"wide"', /W:H/],
    [{ prompt: "cat", aspectRatio: "16:0" }, "aspectRatio", '"16:0"', /W:H/],
    [{ prompt: "cat", seed: -1 }, "seed", "-1", /0 to 99999999/],
    [{ prompt: "cat", seed: 100_000_000 }, "seed", "100000000", /0 to 99999999/],
    [{ prompt: "cat", seed: 1.5 }, "seed", "1.5", /integer/],
    [{ prompt: "cat", model: 5 }, "model", "5", /name of a model/],
    [{ prompt: "cat", negativePrompt: 5 }, "negativePrompt", "5", /a string/],
    [{ prompt: "cat", n: 2n }, "n", "2", /positive integer/],
    [{ prompt: "cat", apiKey: "s3cret" }, "apiKey", "<redacted>", /no such option/]
  ])("rejects %o without a request", ([options, field, value, allowed]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(submitted(options))
      expect(error).toMatchObject({ _tag: "InvalidRequestError", field, value })
      expect(error.message).toMatch(allowed)
      expect(error.message).toContain(field)
      expect(inspect(error)).not.toContain("s3cret")
      expect(yield* submits).toBe(0)
    }).pipe(Effect.provide(ArtaEmulator.layerArta()))
  )

  it.effect("rejects options that are not an object", () =>
    Effect.gen(function* () {
      const nothing: unknown = JSON.parse("null")
      const error = yield* Effect.flip(Arta.run(nothing as GenerateRequest.Options))
      expect(error).toMatchObject({ _tag: "InvalidRequestError", field: "options" })
    }).pipe(Effect.provide(ArtaEmulator.layerArta()))
  )

  // fault: Options | JSON that nests thousands of levels | `InvalidRequestError`
  it.effect.each<[string, (deep: unknown) => Record<string, unknown>]>([
    ["n", (deep) => ({ prompt: "cat", n: deep })],
    ["model", (deep) => ({ prompt: "cat", model: deep })],
    ["prompt", (deep) => ({ prompt: deep })],
    ["messages", (deep) => ({ messages: deep })],
    ["messages", (deep) => ({ messages: [{ role: deep }] })]
  ])("rejects %s that nests thousands of levels", ([field, options]) =>
    Effect.gen(function* () {
      const deep: unknown = JSON.parse("[".repeat(100_000) + "]".repeat(100_000))
      const error = yield* Effect.flip(Arta.prepare(options(deep)))
      expect(error).toMatchObject({ _tag: "InvalidRequestError", field, value: "a value of type object" })
    })
  )

  it.effect("shows a name that it does not know on one line of bounded length", () =>
    Effect.gen(function* () {
      const name = `\u001b[31m\u202e\u2028${"x".repeat(100_000)}`
      for (const options of [
        { prompt: "cat", [name]: 1 },
        { prompt: "cat", model: name }
      ]) {
        const { message } = yield* Effect.flip(Arta.prepare(options))
        expect(message).toContain("\\u001b[31m\\u202e\\u2028xxx")
        expect(message.length).toBeLessThan(300)
      }
    })
  )

  it.effect("suggests the closest models for an unknown one", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(submitted({ prompt: "cat", model: "watercolour" }))
      expect(error).toMatchObject({ _tag: "UnknownModelError", model: "watercolour" })
      expect(error.message).toContain("watercolor")
      expect(yield* submits).toBe(0)
    }).pipe(Effect.provide(ArtaEmulator.layerArta()))
  )

  it("fills in the defaults in the constructor and in the decoder", () => {
    const constructed = new GenerateRequest.GenerateRequest({ prompt: "cat", seed: 1 })
    const decoded = Schema.decodeUnknownSync(GenerateRequest.GenerateRequest)({ prompt: "cat", seed: 1, model: "flux" })
    expect(decoded).toEqual(constructed)
    expect(new GenerateRequest.GenerateRequest({ prompt: "cat" }).seed).toBeGreaterThanOrEqual(9_999)
    expect(Either.isLeft(Schema.decodeUnknownEither(GenerateRequest.GenerateRequest)({ prompt: "" }))).toBe(true)
  })

  it("survives a round trip through JSON", () => {
    const request = new GenerateRequest.GenerateRequest({ prompt: "cat", model: "F Dev", seed: 1 })
    const json = Schema.encodeSync(Schema.parseJson(GenerateRequest.GenerateRequest))(request)
    expect(Schema.decodeSync(Schema.parseJson(GenerateRequest.GenerateRequest))(json)).toEqual(request)
  })
})
