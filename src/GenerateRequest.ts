/**
 * What to draw: the options people pass, and the complete request they become once every default is filled in.
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
 * A chat message. Only the text of user messages is read: a `content` that is a string, or the parts of it that are
 * `{ type: "text", text: "…" }`. Everything else is allowed and ignored.
 *
 * @since 0.1.0
 * @category models
 */
export interface Message {
  readonly role: string
  readonly content?: unknown
}

/**
 * What a caller may say about a generation. Either `prompt` or `messages` is needed; the rest has defaults.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** What to draw. Wins over `messages`. */
  readonly prompt?: string | undefined
  /** A chat: the text of its last run of user messages, joined by newlines, is the prompt. */
  readonly messages?: ReadonlyArray<Message> | undefined
  /** A service name or an alias. Default: `"Flux"`. */
  readonly model?: ImageModel.ImageModel | undefined
  /** What to avoid. Default: `"blurry, deformed hands, ugly"`. */
  readonly negativePrompt?: string | undefined
  /** How many images. A positive integer. Default: 1. */
  readonly n?: number | undefined
  /** How closely the prompt is followed. Zero or more. Default: 7. */
  readonly guidanceScale?: number | undefined
  /** How many steps are spent on each image. A positive integer. Default: 30. */
  readonly numInferenceSteps?: number | undefined
  /** `W:H`, both positive integers. Default: `"1:1"`. */
  readonly aspectRatio?: string | undefined
  /** Where the drawing starts from. An integer from 0 to 99999999. Default: random, from 9999 up. */
  readonly seed?: number | undefined
}

/** Makes a schema say what is allowed, whatever it is that went wrong. */
const allowed = (message: string) => ({ message: () => ({ message, override: true }) })

const Prompt = Schema.String.pipe(Schema.pattern(/\S/)).annotations(allowed("a text that is not blank"))
const PositiveInt = Schema.Int.pipe(Schema.positive()).annotations(allowed("a positive integer"))
const GuidanceScale = Schema.Finite.pipe(Schema.nonNegative()).annotations(allowed("a finite number, zero or more"))
const AspectRatio = Schema.String.pipe(Schema.pattern(/^[1-9]\d*:[1-9]\d*$/)).annotations(
  allowed("two positive integers as W:H, such as 16:9")
)

const lowestRandomSeed = 9_999
const highestSeed = 99_999_999
const Seed = Schema.Int.pipe(Schema.between(0, highestSeed)).annotations(
  allowed(`an integer from 0 to ${String(highestSeed)}`)
)

/**
 * A seed from the fiber's own `Random`, in the range that the service's users draw from.
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

/**
 * A complete request: every default filled in, the model by the service's own name, the seed drawn. Both its
 * constructor and its decoding fill in what is missing; only `prompt` is required.
 *
 * @since 0.1.0
 * @category models
 */
export class GenerateRequest extends Schema.Class<GenerateRequest>("effect-arta/GenerateRequest")({
  prompt: Prompt,
  model: Schema.optionalWith(ModelName, { default: () => ImageModel.defaultModel }),
  negativePrompt: Schema.optionalWith(Schema.String.annotations(allowed("a text")), {
    default: () => "blurry, deformed hands, ugly"
  }),
  n: Schema.optionalWith(PositiveInt, { default: () => 1 }),
  guidanceScale: Schema.optionalWith(GuidanceScale, { default: () => 7 }),
  numInferenceSteps: Schema.optionalWith(PositiveInt, { default: () => 30 }),
  aspectRatio: Schema.optionalWith(AspectRatio, { default: () => "1:1" }),
  // A constructor has no fiber to draw from; `Arta.generate` passes a seed of its fiber's own `Random`.
  seed: Schema.optionalWith(Seed, { default: () => Effect.runSync(randomSeed) })
}) {}

/**
 * Chat messages, as they come from outside.
 *
 * @since 0.1.0
 * @category messages
 */
export const Messages: Schema.Schema<ReadonlyArray<Message>> = Schema.Array(
  Schema.Struct({ role: Schema.String, content: Schema.optional(Schema.Unknown) })
).annotations(allowed("chat messages, each with a role and a content"))

const isTextPart = Schema.is(Schema.Struct({ type: Schema.Literal("text"), text: Schema.String }))

const textOf = ({ content }: Message): ReadonlyArray<string> => {
  if (typeof content === "string") return [content]
  return Array.isArray(content) ? content.flatMap((part) => (isTextPart(part) ? [part.text] : [])) : []
}

/**
 * The text of the last run of user messages, joined by newlines; empty where no user message holds any text.
 *
 * @since 0.1.0
 * @category messages
 */
export const promptFromMessages = (messages: ReadonlyArray<Message>): string => {
  const isUser = (message: Message) => message.role === "user"
  const upToLastUser = Array.dropWhile(Array.reverse(messages), (message) => !isUser(message))
  const lastRun = Array.reverse(Array.takeWhile(upToLastUser, isUser))
  return lastRun
    .flatMap(textOf)
    .filter((text) => text.trim() !== "")
    .join("\n")
}
