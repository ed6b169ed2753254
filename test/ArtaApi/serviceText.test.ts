import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Redacted, Schema } from "effect"
import { ArtaApi, ArtaError, Auth, GenerateRequest, Generation } from "effect-arta"
import { countingAuth } from "../support/countingAuth.js"
import type { Step } from "../support/scriptedClient.js"
import { scriptedClient } from "../support/scriptedClient.js"

const request = new GenerateRequest.GenerateRequest({ prompt: "a cat", seed: 12_345 })
const recordId = Generation.RecordId.make("rec-1")

/** Calls the API when the service responds like this. */
const respond = <A, E>(step: Step, call: (api: ArtaApi.Service) => Effect.Effect<A, E>, auth = countingAuth) =>
  Effect.flatMap(ArtaApi.ArtaApi, call).pipe(
    Effect.provide(
      ArtaApi.layer({ apiUrl: "https://arta.test/api/v1" }).pipe(
        Layer.provide(auth),
        Layer.provide(scriptedClient({ text2image: [step] }).layer)
      )
    )
  )
const submit = (step: Step) => respond(step, (api) => api.submit(request))
const status = (body: unknown) => respond({ body }, (api) => api.status(recordId))

const control = /[\p{Cc}\p{Bidi_C}]/u

describe("The reason of a refusal", () => {
  const google = { code: 403, message: "out of credits", errors: [{ message: "other" }], status: "DENIED" }

  // fault: Submit | A refusal that explains itself in any field | `ResponseError` with the reason
  it.effect.each<[string, unknown, string]>([
    ["error", { error: "Not enough credits" }, "Not enough credits"],
    ["message", { message: "Not enough credits" }, "Not enough credits"],
    ["error.message", { error: google }, "out of credits: other"],
    ["all fields", { error: "Bad Request", message: "a banned word" }, "Bad Request: a banned word"],
    ["a list of messages", { statusCode: 400, error: "Bad Request", message: ["no", "bad"] }, "Bad Request: no; bad"],
    ["error_description", { error: "invalid_request", error_description: "too long" }, "invalid_request: too long"],
    ["title", { type: "about:blank", title: "No credit", detail: "You have 3" }, "No credit: You have 3"],
    [
      "fields of errors",
      { title: "Invalid", errors: { prompt: ["blank", "x"], n: "8" } },
      "Invalid: prompt: blank; x; n: 8"
    ],
    ["the field of an error", { message: "Invalid", errors: [{ field: "n", message: "8" }] }, "Invalid: n: 8"],
    ["a field that another repeats", { error: "Bad", detail: "Bad prompt", message: "Bad" }, "Bad prompt"],
    ["reason", { success: false, reason: "banned" }, "banned"],
    ["msg", { code: 7, msg: "banned" }, "banned"],
    ["errors", { errors: [{ message: "one" }, { message: "two" }] }, "one; two"],
    ["errors of texts", { errors: ["one", "two"] }, "one; two"],
    ["error in the response", { response: { error: "Not enough credits" } }, "Not enough credits"],
    ["a list in the response", { response: [{ message: "one" }], detail: "" }, "one"],
    ["an empty detail", { detail: "", error: "Not enough credits" }, "Not enough credits"],
    ["a null detail", { detail: null, message: "Not enough credits" }, "Not enough credits"],
    ["an empty list", { detail: [], msg: "Not enough credits" }, "Not enough credits"],
    ["a flag beside it", { error: true, message: "Not enough credits" }, "Not enough credits"],
    ["a code beside it", { error: { code: 5 }, message: "Not enough credits" }, "Not enough credits"],
    ["other fields", { success: false, code: 1003, detail: null }, '{"success":false,"code":1003}'],
    ["detail as an object", { detail: { code: 7 } }, '{"code":7}'],
    ["status", { record_id: null, status: "OUT_OF_CREDITS" }, '{"status":"OUT_OF_CREDITS"}'],
    ["status as an object", { status: { code: 7, message: "banned" } }, '{"status":{"code":7,"message":"banned"}}'],
    ["a blank detail", { detail: "  ", code: "NO_CREDITS" }, '{"code":"NO_CREDITS"}'],
    ["a list of blanks", { detail: ["", " "], code: "NO_CREDITS" }, '{"code":"NO_CREDITS"}'],
    ["a detail with blanks", { detail: { msg: "", loc: [null] }, code: 5 }, '{"code":5}'],
    ["a flag as detail", { detail: false, code: "NSFW" }, '{"detail":false,"code":"NSFW"}'],
    ["a number as detail", { detail: 0, code: "NSFW" }, '{"detail":0,"code":"NSFW"}'],
    ["blank fields", { detail: [{}], message: "  " }, "no reason given"],
    ["an empty object", {}, "no reason given"],
    ["nothing", { detail: null, record_id: null, response: [] }, "no reason given"]
  ])("is read from %s", ([, body, detail]) =>
    Effect.gen(function* () {
      const expected = { _tag: "ResponseError", operation: "submit", detail }
      expect(yield* Effect.flip(submit({ body }))).toMatchObject(expected)
      expect(yield* Effect.flip(submit({ status: 402, body }))).toMatchObject(expected)
      expect(yield* Effect.flip(respond({ status: 410, body }, (api) => api.status(recordId)))).toMatchObject({
        detail
      })
    })
  )

  it.effect.each<[unknown, string]>([
    ['"Not enough credits"', "Not enough credits"],
    [["Not enough", "credits"], "Not enough; credits"],
    ["42", "42"],
    ['""', "no reason given"],
    ['" "', "no reason given"],
    ["[]", "no reason given"],
    ['["",null,{}]', "no reason given"],
    ["null", "no reason given"],
    [" ", "no reason given"]
  ])("is read from %j alone", ([body, detail]) =>
    Effect.map(Effect.flip(submit({ status: 402, body })), (error) => {
      expect(error).toMatchObject({ _tag: "ResponseError", detail })
    })
  )

  it.effect("is read from a failure that leaves the submission unknown", () =>
    Effect.map(Effect.flip(submit({ status: 500, body: { error: "token-1 met a GPU" } })), (error) => {
      expect(error).toMatchObject({ _tag: "SubmissionUnknownError" })
      expect(error.message).toContain("HTTP 500: <redacted> met a GPU")
    })
  )

  // fault: Submit | A failure that explains itself as text, or in a field nobody foresaw | `SubmissionUnknownError` with the text
  it.effect.each<[Step, string]>([
    [{ status: 500, body: "upstream reset" }, "HTTP 500: upstream reset"],
    [{ status: 520, body: "error code: 520" }, "HTTP 520: error code: 520"],
    [{ status: 500, body: { code: "E_NO_GPU" } }, 'HTTP 500: {"code":"E_NO_GPU"}'],
    [{ status: 500 }, "HTTP 500"],
    [{ body: "closed for token-1" }, "an unreadable response: closed for <redacted>"],
    [{ body: '{"id_token":"new' }, "an unreadable response"],
    [{ body: [{ id_token: "new" }] }, "an unreadable response"]
  ])("is read from %j, which leaves the submission unknown", ([step, reason]) =>
    Effect.map(Effect.flip(submit(step)), (error) => {
      expect(error).toMatchObject({ _tag: "SubmissionUnknownError", reason })
    })
  )

  // fault: Submit | A rate limit, or a second 401, that explains itself | the error with the reason
  it.effect.each<[string, Step]>([
    ["RateLimitedError", { status: 429, body: { detail: "Daily limit reached for token-1" } }],
    ["RateLimitedError", { status: 503, headers: { "retry-after": "5" }, body: "Daily limit reached for token-1" }],
    ["UnauthorizedError", { status: 401, body: { detail: "Daily limit reached for token-1" } }]
  ])("is read from a %s", ([_tag, step]) =>
    Effect.gen(function* () {
      for (const error of [
        yield* Effect.flip(submit(step)),
        yield* Effect.flip(respond(step, (api) => api.status(recordId)))
      ]) {
        expect(error).toMatchObject({ _tag, reason: "Daily limit reached for <redacted>" })
        expect(error.message).toMatch(/ The service responded: Daily limit reached for <redacted>\.$/)
      }
    })
  )

  // fault: Poll | A failed generation that explains itself in any field | `GenerationFailedError` with the reason
  it.effect.each<[object, string]>([
    [{ error: "NSFW" }, "NSFW"],
    [{ detail: null, message: "NSFW" }, "NSFW"],
    [{ detail: "", response: { error: { message: "NSFW" } } }, "NSFW"],
    [{ response: [{ url: null, reason: "NSFW" }] }, "NSFW"],
    [{ error: "Error", message: "NSFW content" }, "Error: NSFW content"],
    [{ detail: "It failed", response: [{ reason: "NSFW" }] }, "It failed: NSFW"],
    [{ code: 17, hint: "less" }, '{"code":17,"hint":"less"}'],
    [{ record_id: "rec-1", response: [], detail: null }, ""]
  ])("of a generation is read from %j", ([fields, detail]) =>
    Effect.gen(function* () {
      expect(yield* status({ status: "FAILED", ...fields })).toEqual({ _tag: "Failed", status: "FAILED", detail })
    })
  )
})

const hostile =
  "token-1 \u001b[31mred\u001b[0m \u001b]8;;http://evil\u0007link \b\r \u009b2J \u007f \u202eevil \u0000\nend"
const shown =
  "<redacted> \\u001b[31mred\\u001b[0m \\u001b]8;;http://evil\\u0007link \\u0008\\u000d \\u009b2J \\u007f \\u202eevil \\u0000 end"

describe("The text of a service", () => {
  // fault: Whatever a service sends | Control characters, terminal sequences and text that runs backwards | shown as `\u001b`, on one line
  it.effect.each<[string, Effect.Effect<{ readonly message: string }, unknown>]>([
    ["the detail of a refusal", Effect.flip(submit({ status: 403, body: { detail: hostile } }))],
    ["a body", Effect.flip(submit({ status: 403, body: hostile }))],
    ["a body without an explanation", Effect.flip(submit({ status: 403, body: { detail: { hostile } } }))],
    ["a failure of the service", Effect.flip(submit({ status: 500, body: { error: hostile } }))],
    ["a record id", Effect.flip(submit({ body: { record_id: hostile } }))],
    ["a status that is unreadable", Effect.flip(status({ error: hostile }))]
  ])("is shown without its control characters: %s", ([, failing]) =>
    Effect.map(failing, ({ message }) => {
      expect(message).toMatch(/\\+u001b\[31m/)
      expect(message).not.toMatch(control)
      expect(message).not.toContain("token-1")
    })
  )

  it.effect("is shown as it is otherwise", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(submit({ status: 403, body: { detail: hostile } }))
      expect(error).toMatchObject({ detail: shown })
      expect(yield* status({ status: hostile, detail: hostile })).toEqual({
        _tag: "Failed",
        status: `${shown.slice(0, 100)}…`,
        detail: shown
      })
    })
  )

  // fault: Whatever a service sends | A text of three megabytes | at most 500 characters of it
  it.effect("is bounded", () =>
    Effect.gen(function* () {
      const long = "x".repeat(3_000_000)
      const failed = yield* status({ status: long, detail: long })
      expect(failed).toEqual({ _tag: "Failed", status: `${"x".repeat(100)}…`, detail: `${"x".repeat(500)}…` })
      const error = yield* Effect.flip(submit({ body: { record_id: long } }))
      expect(error.message.length).toBeLessThan(1_000)
    })
  )

  // fault: Whatever a service sends | Invisible characters | shown as `\u200b`
  it.effect.each<[string, string]>([
    ["a\u200bb\u00ad\u2060", "a\\u200bb\\u00ad\\u2060"],
    ["\u{e0041}\ufeff\ud800", "\\ue0041 \\ud800"],
    ["\u{1f468}\u200d\u{1f469} \u0645\u200c", "\u{1f468}\u200d\u{1f469} \u0645\u200c"]
  ])("shows invisible characters, unless a script or an emoji needs them: %j", ([detail, shown]) =>
    Effect.map(Effect.flip(submit({ status: 403, body: { detail } })), (error) => {
      expect(error).toMatchObject({ detail: shown })
    })
  )

  const long = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiI1In0.c2lnbmF0dXJlLW9m_LXRva2Vu"
  const longToken = Layer.succeed(Auth.Auth, {
    token: Effect.succeed(Redacted.make(long)),
    renew: () => Effect.succeed(Redacted.make(long)),
    signOut: Effect.void
  })

  // fault: Secrets | A token that is cut, split, escaped, or in another case | `<redacted>`
  it.effect.each<[string, string, string]>([
    ["in lower case", `invalid ${long.toLowerCase()}`, "invalid <redacted>"],
    ["cut at its end", `invalid ${long.slice(0, 30)}...`, "invalid <redacted>"],
    ["cut at its start", `invalid ...${long.slice(-23)}`, "invalid <redacted>"],
    ["split", `${long.slice(0, 25)}\n${long.slice(25)}`, "<redacted> <redacted>"],
    ["escaped", long.replaceAll(".", "%2e"), "<redacted>%<redacted>%<redacted>"],
    ["in base64", `invalid ${Buffer.from(long).toString("base64")}`, "invalid <redacted>"],
    ["in base64url", `invalid ${Buffer.from(long).toString("base64url")}`, "invalid <redacted>"],
    ["not at all", "the word eyJhbGciOiJ is shown", "the word eyJhbGciOiJ is shown"]
  ])("holds no token that is %s", ([, detail, shown]) =>
    Effect.map(
      Effect.flip(respond({ status: 403, body: { detail } }, (api) => api.submit(request), longToken)),
      (error) => {
        expect(error).toMatchObject({ detail: shown })
      }
    )
  )

  // fault: Secrets | A token in the status, a record id or an image URL | `<redacted>`
  it.effect("holds no token", () =>
    Effect.gen(function* () {
      expect(yield* status({ status: "BAD token-1" })).toMatchObject({ status: "BAD <redacted>" })
      const response = [{ url: "https://a.test/?t=token-1" }]
      expect(yield* status({ status: "DONE", response })).toMatchObject({
        images: [{ url: "https://a.test/?t=<redacted>" }]
      })
      const error = yield* Effect.flip(submit({ body: { record_id: "token-1" } }))
      expect(error).toMatchObject({ _tag: "SubmissionUnknownError" })
      expect(error.message).toContain('an unusable record id: "<redacted>"')
    })
  )
})

describe("The record id of a submission", () => {
  // fault: Submit | A record id above 2^53, as a number | its digits
  it.effect.each<[string, string]>([
    ['{"record_id":12345678901234567890}', "12345678901234567890"],
    ['{ "more" : {"record_id":1}, "record_id" : 9007199254740993 }', "9007199254740993"],
    ['{"record_id":9007199254740993 }', "9007199254740993"],
    ['{"record_id":-9007199254740993}', "-9007199254740993"],
    ['{"record_id":"12345678901234567890"}', "12345678901234567890"],
    ['{"text":"\\"record_id\\": 5","record_id":\n7}', "7"]
  ])("keeps its digits: %j", ([body, id]) =>
    Effect.map(submit({ body }), (found) => {
      expect(found).toBe(id)
    })
  )

  // fault: Submit | A record id that cannot be used or shown | `SubmissionUnknownError` that shows it
  it.effect.each<[string, string]>([
    ['{"record_id":"a\\u001bb"}', "a\\u001bb"],
    ['{"record_id":"a\\u202eb"}', "a\\u202eb"],
    ['{"record_id":1e300}', "1e+300"],
    ['{"record_id":{"id":5}}', '{"id":5}'],
    ['{"record_id":[5]}', "[5]"],
    ['{"record_id":true}', "true"],
    ['{"record_id":".."}', '".."'],
    ['{"record_id":"\u200b"}', "\\u200b"]
  ])("is not lost if it is unusable: %j", ([body, says]) =>
    Effect.map(Effect.flip(submit({ body })), (error) => {
      expect(error).toMatchObject({ _tag: "SubmissionUnknownError" })
      expect(error.message).toContain("an unusable record id: ")
      expect(error.message).toContain(says)
    })
  )
})

describe("A response that nests 200,000 levels", () => {
  const deep = "[".repeat(200_000) + "]".repeat(200_000)
  const objects = '{"error":'.repeat(200_000) + "1" + "}".repeat(200_000)

  // fault: Whatever a service sends | JSON that nests 200,000 levels | a typed error
  it.effect.each<[string, string]>([
    ["lists", deep],
    ["objects", objects],
    ["a list of one field", `{"detail":${deep}}`],
    ["a status", `{"status":"FAILED","response":${deep},"detail":${objects}}`],
    ["an unknown field", `{"status":"FAILED","more":${deep}}`],
    ["images", `{"status":"DONE","response":${deep}}`],
    ["an image", `{"status":"DONE","response":[{"url":${deep}}]}`],
    ["a record id", `{"record_id":${deep}}`],
    ["a status name", `{"status":${deep}}`],
    ["no depth, but 300,000 objects", `{"detail":{"a":[${"{},".repeat(300_000)}{}]},"status":"FAILED"}`]
  ])("is a typed error or an outcome: %s", ([, body]) =>
    Effect.gen(function* () {
      const results = [
        yield* Effect.either(submit({ body })),
        yield* Effect.either(submit({ status: 400, body })),
        yield* Effect.either(respond({ body }, (api) => api.status(recordId))),
        yield* Effect.either(respond({ status: 404, body }, (api) => api.status(recordId)))
      ]
      for (const result of results) {
        if (result._tag === "Right") expect(result.right).toMatchObject({ _tag: "Failed" })
        else expect(() => Schema.encodeSync(ArtaError.ArtaError)(result.left)).not.toThrow()
      }
    })
  )
})
