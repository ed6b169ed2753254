import * as Options from "@effect/cli/Options"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { GenerateRequest } from "effect-arta"

const saying = (message: string) => ({ message: () => ({ message, override: true }) })

const described = (description: string) => Options.withDescription(description)

/** What to draw, beside the prompt. */
export const drawing = {
  model: Options.text("model").pipe(
    Options.withAlias("m"),
    described("The model, by its name or an alias: see the models command. Flux by default."),
    Options.optional
  ),
  n: Options.integer("n").pipe(described("How many images. 1 by default."), Options.optional),
  negative: Options.text("negative").pipe(described("What to avoid."), Options.optional),
  aspect: Options.text("aspect").pipe(described("Width to height, such as 16:9. 1:1 by default."), Options.optional),
  steps: Options.integer("steps").pipe(described("Steps spent on each image. 30 by default."), Options.optional),
  guidance: Options.float("guidance").pipe(
    described("How closely the prompt is followed, from 0 up. 7 by default."),
    Options.optional
  ),
  seed: Options.integer("seed").pipe(
    described("Where the drawing starts from, 0 to 99999999. The same seed draws the same image again."),
    Options.optional
  )
}

type Parsed<A> = { readonly [Key in keyof A]: A[Key] extends Options.Options<infer Value> ? Value : never }

export type Drawing = Parsed<typeof drawing>

export const toRequest = (prompt: string, parsed: Drawing): GenerateRequest.Options => ({
  prompt,
  model: Option.getOrUndefined(parsed.model),
  n: Option.getOrUndefined(parsed.n),
  negativePrompt: Option.getOrUndefined(parsed.negative),
  aspectRatio: Option.getOrUndefined(parsed.aspect),
  numInferenceSteps: Option.getOrUndefined(parsed.steps),
  guidanceScale: Option.getOrUndefined(parsed.guidance),
  seed: Option.getOrUndefined(parsed.seed)
})

/** Where images go. */
export const output = Options.directory("output").pipe(
  Options.withAlias("o"),
  Options.withPseudoName("DIR"),
  Options.withDefault("images"),
  described("The folder for the images. images by default.")
)

export const json = Options.boolean("json").pipe(described("Print one JSON object per line instead of text."))

/** What becomes of the result. */
export const saving = {
  output,
  noSave: Options.boolean("no-save").pipe(described("Print the addresses of the images, and save nothing.")),
  json
}

export type Saving = Parsed<typeof saving>

/** Which service is talked to, and for how long. */
export const service = {
  timeout: Options.float("timeout").pipe(
    Options.withPseudoName("seconds"),
    Options.withSchema(
      Schema.Number.pipe(Schema.positive()).annotations(saying("--timeout has to be a number of seconds above 0."))
    ),
    Options.withDefault(300),
    described("How many seconds a generation may take.")
  ),
  proxy: Options.text("proxy").pipe(
    Options.withPseudoName("URL"),
    described("An HTTP proxy. By default what HTTPS_PROXY, HTTP_PROXY and NO_PROXY say."),
    Options.optional
  ),
  emulator: Options.boolean("emulator").pipe(
    described("Draw on the built-in emulator: no key, no network, made-up images.")
  )
}

export type Service = Parsed<typeof service>

export const proxyFlag = (proxy: Service["proxy"]): ReadonlyArray<string> =>
  Option.match(proxy, { onNone: () => [], onSome: (url) => ["--proxy", url] })

/** The flags with which a generation that was left alone is picked up again, if it can be. */
export const watchFlags = (input: Saving & Service): Option.Option<ReadonlyArray<string>> =>
  input.emulator
    ? Option.none()
    : Option.some([...(input.noSave ? ["--no-save"] : ["-o", input.output]), ...proxyFlag(input.proxy)])

export const concurrency = Options.integer("concurrency").pipe(
  Options.withAlias("c"),
  Options.withSchema(Schema.Int.pipe(Schema.positive()).annotations(saying("-c has to be a whole number above 0."))),
  Options.withDefault(4),
  described("How many generations are under way at once. 4 by default.")
)

export const port = Options.integer("port").pipe(
  Options.withSchema(
    Schema.Int.pipe(Schema.between(0, 65535)).annotations(saying("--port has to be a port from 0 to 65535."))
  ),
  Options.withDefault(0),
  described("The port to serve on. A free one by default.")
)
