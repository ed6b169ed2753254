/**
 * The options of a generation, and the complete request that they become once every default is filled in.
 *
 * @example
 * ```ts
 * import { GenerateRequest } from "effect-arta"
 *
 * const request = new GenerateRequest.GenerateRequest({ prompt: "a lighthouse", model: "F Dev" })
 * console.log(request.model, request.n, request.aspectRatio) // F Dev 1 1:1
 * ```
 *
 * @since 0.1.0
 */
import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import * as ParseResult from "effect/ParseResult"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import * as ImageModel from "./ImageModel.js"

/**
 * A chat message. Only user messages count: a `content` that is a string, or its `{ type: "text", text: "…" }` parts.
 * Other roles and parts are ignored.
 *
 * @since 0.1.0
 * @category models
 */
export interface Message {
  readonly role: string
  readonly content?: unknown
}

/**
 * The options of a generation. Pass `prompt` or `messages`; every other option has a default.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Describes the image. Overrides `messages`. */
  readonly prompt?: string | undefined
  /** A chat. The text of the last consecutive user messages, joined by newlines, becomes the prompt. */
  readonly messages?: ReadonlyArray<Message> | undefined
  /** A service name or an alias, see `ImageModel`. Default: `"Flux"`. */
  readonly model?: ImageModel.ImageModel | undefined
  /** Describes what the image should avoid. Default: `"blurry, deformed hands, ugly"`. */
  readonly negativePrompt?: string | undefined
  /** The number of images, a positive integer, at most 8 unless `Arta.Settings.limits` is `"none"`. Default: 1. */
  readonly n?: number | undefined
  /** How closely the images follow the prompt, zero or more. Default: 7. */
  readonly guidanceScale?: number | undefined
  /** The number of inference steps for each image, a positive integer, at most 100 as with `n`. Default: 30. */
  readonly numInferenceSteps?: number | undefined
  /** The aspect ratio as `W:H`, both positive integers. Default: `"1:1"`. */
  readonly aspectRatio?: string | undefined
  /** The random seed, an integer from 0 to 99999999. Default: a random integer from 9999 to 99999999. */
  readonly seed?: number | undefined
}

/** Replaces every message of a schema with the values that it accepts, for `InvalidRequestError.allowed`. */
const allowed = (message: string) => ({ message: () => ({ message, override: true }) })

const Prompt = Schema.String.pipe(Schema.pattern(/\S/)).annotations(allowed("a string that is not blank"))
const PositiveInt = Schema.Int.pipe(Schema.positive()).annotations(allowed("a positive integer"))
const GuidanceScale = Schema.Finite.pipe(Schema.nonNegative()).annotations(allowed("a number, zero or more"))
const AspectRatio = Schema.String.pipe(Schema.pattern(/^[1-9]\d*:[1-9]\d*$/)).annotations(
  allowed("a ratio as W:H, such as 16:9")
)

const lowestRandomSeed = 9_999
const highestSeed = 99_999_999
const Seed = Schema.Int.pipe(Schema.between(0, highestSeed)).annotations(
  allowed(`an integer from 0 to ${String(highestSeed)}`)
)

/**
 * Generates a random seed from 9999 to 99999999, using the fiber's `Random`. The service's own clients use the same
 * range.
 *
 * @since 0.1.0
 * @category seeds
 */
export const randomSeed: Effect.Effect<number> = Random.nextIntBetween(lowestRandomSeed, highestSeed + 1)

const ModelName = Schema.transformOrFail(Schema.String, ImageModel.ServiceName, {
  strict: true,
  decode: (name, _, ast) => {
    const candidates = ImageModel.candidates(name)
    return Array.isNonEmptyReadonlyArray(candidates)
      ? Random.choice(candidates)
      : ParseResult.fail(new ParseResult.Type(ast, name))
  },
  encode: ParseResult.succeed
}).annotations(allowed("the name of a model"))

const fields = {
  prompt: Prompt,
  model: Schema.optionalWith(ModelName, { default: () => ImageModel.defaultModel }),
  negativePrompt: Schema.optionalWith(Schema.String.annotations(allowed("a string")), {
    default: () => "blurry, deformed hands, ugly"
  }),
  n: Schema.optionalWith(PositiveInt, { default: () => 1 }),
  guidanceScale: Schema.optionalWith(GuidanceScale, { default: () => 7 }),
  numInferenceSteps: Schema.optionalWith(PositiveInt, { default: () => 30 }),
  aspectRatio: Schema.optionalWith(AspectRatio, { default: () => "1:1" }),
  // A constructor has no fiber. `Arta.generate` passes a seed from its fiber's `Random` instead.
  seed: Schema.optionalWith(Seed, { default: () => Effect.runSync(randomSeed) })
}

/**
 * A complete request: every option has a value, and the model has its service name. Only `prompt` is required: both the
 * constructor and the decoder fill in the defaults.
 *
 * @since 0.1.0
 * @category models
 */
export class GenerateRequest extends Schema.Class<GenerateRequest>("ArtaGenerateRequest")(fields, [
  undefined,
  // The fields with defaults make this a transformation, which has a name of its own in a document.
  { identifier: "ArtaGenerateRequest" }
]) {}

/**
 * Decodes chat messages.
 *
 * @since 0.1.0
 * @category messages
 */
export const Messages: Schema.Schema<ReadonlyArray<Message>> = Schema.Array(
  Schema.Struct({ role: Schema.String, content: Schema.optional(Schema.Unknown) })
).annotations(allowed("messages, each with a role and a content"))

const option = <A>(
  schema: Schema.Schema<A>,
  jsonSchema: { readonly type: string; readonly [keyword: string]: unknown }
) => Schema.optional(schema.annotations({ jsonSchema }))

/**
 * Decodes the options that a client sends: the payload of an `HttpApi` endpoint or of an RPC. It checks the names and
 * the types of the options. `Arta.generate` checks their values, and fails with `InvalidRequestError` or
 * `UnknownModelError`.
 *
 * @example
 * ```ts
 * import { HttpApiEndpoint } from "@effect/platform"
 * import { ArtaError, GenerateRequest, Generation } from "effect-arta"
 *
 * export const generate = HttpApiEndpoint.post("generate", "/generations")
 *   .setPayload(GenerateRequest.Options)
 *   .addSuccess(Generation.Generation)
 *   .addError(ArtaError.ArtaError)
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export const Options: Schema.Schema<Options> = /* @__PURE__ */ (() =>
  Schema.Struct({
    prompt: option(Schema.String, { type: "string", description: "Describes the image. Overrides the messages." }),
    // Only the text of a message counts, so its other fields are ignored.
    messages: option(Messages.annotations({ parseOptions: { onExcessProperty: "ignore" } }), {
      type: "array",
      items: { type: "object", properties: { role: { type: "string" }, content: {} }, required: ["role"] },
      description: "A chat. The text of the last user messages becomes the prompt."
    }),
    model: option(Schema.String, { type: "string", description: "The name or an alias of a model.", default: "Flux" }),
    negativePrompt: option(Schema.String, { type: "string", default: "blurry, deformed hands, ugly" }),
    n: option(Schema.Number, { type: "integer", minimum: 1, default: 1, description: "The number of images." }),
    guidanceScale: option(Schema.Number, { type: "number", minimum: 0, default: 7 }),
    numInferenceSteps: option(Schema.Number, { type: "integer", minimum: 1, default: 30 }),
    aspectRatio: option(Schema.String, { type: "string", pattern: "^[1-9]\\d*:[1-9]\\d*$", default: "1:1" }),
    seed: option(Schema.Number, { type: "integer", minimum: 0, maximum: highestSeed })
  }).annotations({ identifier: "ArtaOptions", parseOptions: { onExcessProperty: "error" } }))()

const isTextPart = Schema.is(Schema.Struct({ type: Schema.Literal("text"), text: Schema.String }))

const textsIn = ({ content }: Message): ReadonlyArray<string> => {
  if (typeof content === "string") return [content]
  return Array.isArray(content) ? content.flatMap((part) => (isTextPart(part) ? [part.text] : [])) : []
}

/**
 * Returns the text of the last consecutive user messages, joined by newlines. Returns an empty string if they contain
 * no text.
 *
 * @since 0.1.0
 * @category messages
 */
export const promptFromMessages = (messages: ReadonlyArray<Message>): string => {
  const isUser = (message: Message) => message.role === "user"
  const upToLastUser = Array.dropWhile(Array.reverse(messages), (message) => !isUser(message))
  const lastRun = Array.reverse(Array.takeWhile(upToLastUser, isUser))
  return lastRun
    .flatMap(textsIn)
    .filter((text) => text.trim() !== "")
    .join("\n")
}
