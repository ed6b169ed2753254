import { describe, expect, it } from "@effect/vitest"
import { Duration, Schema } from "effect"
import { ArtaError, GenerateRequest, Generation } from "effect-arta"

const recordId = Generation.RecordId.make("rec-1")
const request = new GenerateRequest.GenerateRequest({ prompt: "a cat", seed: 7 })

const examples: ReadonlyArray<readonly [ArtaError.ArtaError, RegExp]> = [
  [new ArtaError.InvalidRequestError({ field: "n", value: "0", allowed: "a positive integer" }), /n is 0, .*positive/],
  [new ArtaError.UnknownModelError({ model: "fluxx", suggestions: ["flux"] }), /"fluxx".*flux\?/],
  [new ArtaError.AuthError({ reason: "API_KEY_MISSING" }), /ARTA_API_KEY/],
  [new ArtaError.AuthError({ reason: "USER_DISABLED", recordId }), /disabled.*rec-1.*watch it to get its images/],
  [new ArtaError.TokenStoreError({ operation: "save", path: "/a", reason: "disk full" }), /save.*\/a: disk full/],
  [new ArtaError.TransportError({ operation: "status", reason: "reset", sent: true, recordId }), /reset.*rec-1/],
  [new ArtaError.ResponseError({ operation: "submit", status: 422, detail: "too many" }), /422 .*too many/],
  [new ArtaError.UnauthorizedError({ operation: "submit" }), /refreshed token/],
  [new ArtaError.RateLimitedError({ operation: "submit", retryAfter: Duration.seconds(90) }), /in 1m 30s/],
  [new ArtaError.RateLimitedError({ operation: "submit" }), /again later/],
  [
    new ArtaError.SubmissionUnknownError({ request, reason: "reset" }),
    /may not have accepted.*reset.*both could be charged/
  ],
  [
    new ArtaError.GenerationFailedError({ recordId, status: "FAILED", detail: "" }),
    /rec-1 ended with status FAILED\.$/
  ],
  [
    new ArtaError.GenerationTimeoutError({ recordId, elapsed: Duration.minutes(5), lastStatus: "IN_QUEUE" }),
    /rec-1 has not finished after 5m \(IN_QUEUE\).*watch it to get its images/
  ],
  [
    new ArtaError.GenerationTimeoutError({ elapsed: Duration.seconds(5), request }),
    /may have accepted .* not responded after 5s/
  ],
  [new ArtaError.GenerationTimeoutError({ elapsed: Duration.seconds(5) }), /Nothing was submitted within 5s/],
  [
    new ArtaError.DownloadError({ url: "https://a/1", reason: "it broke off" }),
    /download https:\/\/a\/1: it broke off/
  ],
  [
    new ArtaError.DownloadError({ url: "https://a/1", reason: "no space", path: "/b" }),
    /save https:\/\/a\/1 to \/b: no space/
  ]
]

describe("ArtaError", () => {
  const mayFinish = " The generation rec-1 may still finish: watch it to get its images."
  it.each<readonly [ArtaError.ArtaError, string]>([
    [
      new ArtaError.UnknownModelError({ model: "fluxx", suggestions: ["flux", "flux-dev"] }),
      'There is no model "fluxx". Did you mean flux, flux-dev?'
    ],
    [
      new ArtaError.TokenStoreError({ operation: "load", path: "/a", recordId }),
      `Could not load the session at /a: no reason given.${mayFinish}`
    ],
    [
      new ArtaError.ResponseError({ operation: "status", status: 400, detail: "What? No", recordId }),
      `The service returned HTTP 400 while requesting the status: What? No.${mayFinish}`
    ],
    [
      new ArtaError.ResponseError({ operation: "refresh", status: 400, detail: "Go away!" }),
      "The service returned HTTP 400 while refreshing the session: Go away!"
    ],
    [
      new ArtaError.RateLimitedError({ operation: "signUp", recordId }),
      `Too many requests while signing up: try again later.${mayFinish}`
    ],
    [
      new ArtaError.RateLimitedError({ operation: "submit", retryAfter: Duration.seconds(5), reason: "a daily limit" }),
      "Too many requests while submitting the generation: try again in 5s. The service responded: a daily limit."
    ],
    [
      new ArtaError.UnauthorizedError({ reason: "Your plan has expired!", recordId }),
      `The service refused a refreshed token: check the API key. The service responded: Your plan has expired!${mayFinish}`
    ],
    [
      new ArtaError.TransportError({ operation: "submit", reason: "does the port speak https?", sent: false }),
      "No usable response while submitting the generation: does the port speak https?"
    ],
    [
      new ArtaError.TokenStoreError({ operation: "save", path: "/a", reason: "It is full." }),
      "Could not save the session at /a: It is full."
    ],
    [
      new ArtaError.DownloadError({ url: "https://a/1", reason: "is it up?" }),
      "Could not download https://a/1: is it up?"
    ],
    [
      new ArtaError.SubmissionUnknownError({ request, reason: "HTTP 500: Out of memory." }),
      "The service may or may not have accepted the generation: HTTP 500: Out of memory. " +
        "It was not sent again: both could be charged."
    ],
    [
      new ArtaError.SubmissionUnknownError({ request }),
      "The service may or may not have accepted the generation: no usable response arrived. " +
        "It was not sent again: both could be charged."
    ],
    [
      new ArtaError.GenerationFailedError({ recordId, status: "FAILED", detail: "a face" }),
      "The generation rec-1 ended with status FAILED: a face."
    ],
    [
      new ArtaError.GenerationTimeoutError({ recordId, elapsed: Duration.minutes(5), reason: "HTTP 500" }),
      `The generation rec-1 has not finished after 5m (status unknown). The last poll failed: HTTP 500.${mayFinish}`
    ]
  ])("%s tells everything that it knows", (error, message) => {
    expect(error.message).toBe(message)
  })

  it.each(examples)("%s has a message that reads as a sentence", (error, message) => {
    expect(error.message).toMatch(message)
    expect(error.message).toMatch(/^[A-Z].*[.?]$/)
  })

  it.each(examples)("%s survives a round trip through JSON", (error, message) => {
    const json = Schema.encodeSync(Schema.parseJson(ArtaError.ArtaError))(error)
    const decoded = Schema.decodeSync(Schema.parseJson(ArtaError.ArtaError))(json)
    expect(decoded).toBeInstanceOf(error.constructor)
    expect(decoded.message).toMatch(message)
  })
})
