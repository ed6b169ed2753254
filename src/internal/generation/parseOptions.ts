import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as Record from "effect/Record"
import * as Schema from "effect/Schema"
import * as Struct from "effect/Struct"
import { InvalidRequestError, UnknownModelError } from "../../ArtaError.js"
import type { Options } from "../../GenerateRequest.js"
import { GenerateRequest, Messages, promptFromMessages, randomSeed } from "../../GenerateRequest.js"
import * as ImageModel from "../../ImageModel.js"
import { atMost, visible } from "../errorMessages.js"
import { invalidOption } from "../invalidOption.js"

/** Typed options, or unvalidated input such as parsed JSON. */
export type Unchecked = Options | Readonly<Record<string, unknown>>

const isMessages = Schema.is(Messages)

const decodeRequest = Schema.decodeUnknown(GenerateRequest, { onExcessProperty: "error" })

/** Whether options above the service's known limits are invalid. */
export type Limits = "service" | "none"

const highest = { n: 8, numInferenceSteps: 100 }

type OptionsError = InvalidRequestError | UnknownModelError

type Decoded = Either.Either<GenerateRequest, OptionsError>

/** A mistyped number of images or steps can be expensive. */
const checkLimits = (request: GenerateRequest): Decoded => {
  const [exceeded] = Struct.entries(highest).filter(([field, limit]) => request[field] > limit)
  if (exceeded === undefined) return Either.right(request)
  const [field, limit] = exceeded
  return Either.left(invalidOption(field, request[field], `at most ${String(limit)}, unless you set limits: "none"`))
}

/** In effect 3.22, the formatter recurses into a value that is invalid, until the stack overflows. */
const shallow = (value: unknown): unknown => (Predicate.isObject(value) ? {} : value)

const toOptionsError = (options: Unchecked, error: ParseResult.ParseError): Effect.Effect<OptionsError> =>
  Effect.map(ParseResult.ArrayFormatter.formatError(error), ([issue]) => {
    const name = String(issue?.path[0])
    const field = atMost(100, visible(name))
    if (issue?._tag === "Unexpected") {
      // An unknown option may hold a secret.
      return new InvalidRequestError({ field, value: "<redacted>", allowed: "omitted: there is no such option" })
    }
    const value: unknown = Predicate.hasProperty(options, name) ? options[name] : undefined
    if (field === "model" && typeof value === "string") {
      const model = atMost(80, value)
      return new UnknownModelError({ model, suggestions: ImageModel.suggest(model) })
    }
    return invalidOption(field, value, issue?.message ?? "valid")
  })

/**
 * Validates options and fills in the defaults. The fiber's `Random` generates a missing seed,
 * and chooses one model if an alias stands for several.
 */
export const decodeOptions = (options: Unchecked, limits: Limits): Effect.Effect<Decoded> =>
  Effect.gen(function* () {
    if (!Predicate.isRecord(options)) {
      return Either.left(invalidOption("options", options, "an object with a prompt or messages"))
    }
    const { messages, ...rest } = options
    if (messages !== undefined && !isMessages(messages)) {
      return Either.left(invalidOption("messages", messages, "messages, each with a role and a content"))
    }
    const prompt = rest["prompt"] ?? (messages === undefined ? undefined : promptFromMessages(messages))
    if (rest["prompt"] === undefined && prompt === "") {
      return Either.left(invalidOption("messages", messages, "a chat with text in a user message"))
    }
    const seed = rest["seed"] ?? (yield* randomSeed)
    const request = yield* decodeRequest(Record.map({ ...rest, prompt, seed }, shallow))
    return limits === "none" ? Either.right(request) : checkLimits(request)
  }).pipe(Effect.catchTag("ParseError", (error) => Effect.map(toOptionsError(options, error), Either.left)))
