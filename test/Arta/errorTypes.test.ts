import { expect, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { Arta, type ArtaApi } from "effect-arta"
import { Fault } from "effect-arta/testing"
import { withEmulator } from "../support/withEmulator.js"

const handled = ({ _tag }: { readonly _tag: string }) => Effect.succeed(_tag)

const ofToken = {
  AuthError: handled,
  TokenStoreError: handled,
  TransportError: handled,
  ResponseError: handled,
  RateLimitedError: handled,
  UnauthorizedError: handled
}
const ofSubmission = {
  InvalidRequestError: handled,
  UnknownModelError: handled,
  SubmissionUnknownError: handled,
  GenerationTimeoutError: handled
}
const ofOutcome = { GenerationFailedError: handled, GenerationTimeoutError: handled }

/** Compiles only if the handlers left no failure. */
const total = <A>(effect: Effect.Effect<A, never, ArtaApi.ArtaApi>): Effect.Effect<unknown, never, ArtaApi.ArtaApi> =>
  effect

const cat = { prompt: "a cat" }

// `Effect.catchTags` rejects a tag that cannot occur, so the handlers list the failures exactly.
it.effect.each<[string, Effect.Effect<unknown, never, ArtaApi.ArtaApi>]>([
  ["submit", total(Effect.catchTags(Arta.submit(cat), { ...ofToken, ...ofSubmission }))],
  ["run", total(Effect.catchTags(Arta.run(cat), { ...ofToken, ...ofSubmission, ...ofOutcome }))],
  [
    "generate",
    total(Effect.catchTags(Stream.runDrain(Arta.generate(cat)), { ...ofToken, ...ofSubmission, ...ofOutcome }))
  ],
  ["resume", total(Effect.catchTags(Arta.resume("r-1"), { ...ofToken, ...ofOutcome, InvalidRequestError: handled }))],
  [
    "watch",
    total(
      Effect.catchTags(Stream.runDrain(Arta.watch("r-1")), { ...ofToken, ...ofOutcome, InvalidRequestError: handled })
    )
  ]
])("The tags of Arta.%s are all of its failures", ([, program]) =>
  Effect.gen(function* () {
    expect(yield* program).toBe("AuthError")
  }).pipe(withEmulator({ faults: [Fault.identityError("signUp", "USER_DISABLED")] }))
)
