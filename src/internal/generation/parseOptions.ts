import * as Effect from "effect/Effect"
import * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as Struct from "effect/Struct"
import { InvalidRequestError, UnknownModelError } from "../../ArtaError.js"
import type { Options } from "../../GenerateRequest.js"
import { GenerateRequest, Messages, promptFromMessages, randomSeed } from "../../GenerateRequest.js"
import * as ImageModel from "../../ImageModel.js"
import { invalidOption } from "../invalidOption.js"

/** Typed options, or unvalidated input such as parsed JSON. */
export type Unchecked = Options | Readonly<Record<string, unknown>>

const Input = Schema.Struct(
  { messages: Schema.optional(Messages) },
  Schema.Record({ key: Schema.String, value: Schema.Unknown })
).annotations({ message: () => "an object with a prompt or messages" })

const decodeInput = Schema.decodeUnknown(Input)

/** Decodes the messages. Most options have none, and the schema would take as long as that of the request. */
const separateMessages = (options: Unchecked): Effect.Effect<typeof Input.Type, ParseResult.ParseError> =>
  Predicate.isRecord(options) && !("messages" in options)
    ? Effect.succeed(Object.fromEntries(Object.entries(options)))
    : decodeInput(options)

const decodeRequest = Schema.decodeUnknown(GenerateRequest, { onExcessProperty: "error" })

/** Whether options above the service's known limits are invalid. */
export type Limits = "service" | "none"

const highest = { n: 8, numInferenceSteps: 100 }

/** A mistyped number of images or steps can be expensive. */
const checkLimits = (request: GenerateRequest) => {
  const [exceeded] = Struct.entries(highest).filter(([field, limit]) => request[field] > limit)
  if (exceeded === undefined) return Effect.succeed(request)
  const [field, limit] = exceeded
  return invalidOption(field, request[field], `at most ${String(limit)}, unless you set limits: "none"`)
}

type OptionsError = InvalidRequestError | UnknownModelError

const toOptionsError = (options: Unchecked, error: ParseResult.ParseError): Effect.Effect<OptionsError> =>
  Effect.map(ParseResult.ArrayFormatter.formatError(error), ([issue]) => {
    const field = String(issue?.path[0] ?? "options")
    if (issue?._tag === "Unexpected") {
      // An unknown option may hold a secret.
      return new InvalidRequestError({ field, value: "<redacted>", allowed: "omitted: there is no such option" })
    }
    const value: unknown = Predicate.hasProperty(options, field) ? options[field] : undefined
    if (field === "model" && typeof value === "string") {
      return new UnknownModelError({ model: value, suggestions: ImageModel.suggest(value) })
    }
    return invalidOption(field, value, issue?.message ?? "valid")
  })

/**
 * Validates options and fills in the defaults. The fiber's `Random` generates a missing seed,
 * and chooses one model if an alias stands for several.
 */
export const decodeOptions = (options: Unchecked, limits: Limits): Effect.Effect<GenerateRequest, OptionsError> =>
  Effect.gen(function* () {
    const { messages, ...rest } = yield* separateMessages(options)
    const prompt = rest["prompt"] ?? (messages === undefined ? undefined : promptFromMessages(messages))
    if (rest["prompt"] === undefined && prompt === "") {
      return yield* invalidOption("messages", messages, "a chat with text in a user message")
    }
    const request = yield* decodeRequest({ ...rest, prompt, seed: rest["seed"] ?? (yield* randomSeed) })
    return limits === "none" ? request : yield* checkLimits(request)
  }).pipe(Effect.catchTag("ParseError", (error) => Effect.flip(toOptionsError(options, error))))
