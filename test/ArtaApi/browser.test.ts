import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { ArtaApi, Auth, GenerateRequest, Generation } from "effect-arta"
import { opaqueRedirects } from "../support/opaqueRedirects.js"

const request = new GenerateRequest.GenerateRequest({ prompt: "a cat" })
const recordId = Generation.RecordId.make("rec-1")

describe("ArtaApi in a browser", () => {
  // fault: Submit | A redirect that a browser hides | `SubmissionUnknownError`
  it.effect.each(["submit", "status"] as const)("reports a redirect of %s as an error", (operation) =>
    Effect.gen(function* () {
      const api = yield* ArtaApi.ArtaApi
      const asking: Effect.Effect<unknown, ArtaApi.SubmitError> =
        operation === "submit" ? api.submit(request) : api.status(recordId)
      const error = yield* Effect.flip(asking)
      expect(error).toMatchObject(
        operation === "submit" ? { _tag: "SubmissionUnknownError" } : { _tag: "ResponseError", operation, status: 0 }
      )
      expect(error.message).toContain("redirects are not followed")
    }).pipe(Effect.provide(Layer.provide(ArtaApi.layer(), [Auth.layerToken("token-1"), opaqueRedirects])))
  )
})
