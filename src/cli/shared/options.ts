import * as Options from "@effect/cli/Options"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { GenerateRequest } from "effect-arta"

const withMessage = (message: string) => ({ message: () => ({ message, override: true }) })

const describedAs = (description: string) => Options.withDescription(description)

/** The options of a generation, without its prompt. */
export const imageOptions = {
  model: Options.text("model").pipe(
    Options.withAlias("m"),
    describedAs("The name or alias of the model: see the models command. Flux by default."),
    Options.optional
  ),
  n: Options.integer("n").pipe(describedAs("The number of images. 1 by default."), Options.optional),
  negative: Options.text("negative").pipe(describedAs("What to avoid."), Options.optional),
  aspect: Options.text("aspect").pipe(describedAs("The aspect ratio, such as 16:9. 1:1 by default."), Options.optional),
  steps: Options.integer("steps").pipe(describedAs("The steps for each image. 30 by default."), Options.optional),
  guidance: Options.float("guidance").pipe(
    describedAs("How closely to follow the prompt, at least 0. 7 by default."),
    Options.optional
  ),
  seed: Options.integer("seed").pipe(
    describedAs("The seed, 0 to 99999999. The same seed generates the same image again."),
    Options.optional
  )
}

type Parsed<A> = { readonly [Key in keyof A]: A[Key] extends Options.Options<infer Value> ? Value : never }

export type ImageOptions = Parsed<typeof imageOptions>

export const toRequest = (prompt: string, parsed: ImageOptions): GenerateRequest.Options => ({
  prompt,
  model: Option.getOrUndefined(parsed.model),
  n: Option.getOrUndefined(parsed.n),
  negativePrompt: Option.getOrUndefined(parsed.negative),
  aspectRatio: Option.getOrUndefined(parsed.aspect),
  numInferenceSteps: Option.getOrUndefined(parsed.steps),
  guidanceScale: Option.getOrUndefined(parsed.guidance),
  seed: Option.getOrUndefined(parsed.seed)
})

export const limitOptions = {
  noLimits: Options.boolean("no-limits").pipe(describedAs("Allow more than 8 images and 100 steps."))
}

export type LimitOptions = Parsed<typeof limitOptions>

/** The library's setting for `--no-limits`. */
export const limitsOf = ({ noLimits }: LimitOptions) => ({ limits: noLimits ? "none" : "service" }) as const

export const limitFlags = ({ noLimits }: LimitOptions): ReadonlyArray<string> => (noLimits ? ["--no-limits"] : [])

export const output = Options.directory("output").pipe(
  Options.withAlias("o"),
  Options.withPseudoName("DIR"),
  Options.withDefault("images"),
  describedAs("The directory for the images. images by default.")
)

export const json = Options.boolean("json").pipe(describedAs("Print one JSON object per line instead of text."))

export const saveOptions = {
  output,
  noSave: Options.boolean("no-save").pipe(describedAs("Print the URLs of the images instead of saving them.")),
  json
}

export type SaveOptions = Parsed<typeof saveOptions>

/** The service and the timeout. */
export const serviceOptions = {
  timeout: Options.float("timeout").pipe(
    Options.withPseudoName("seconds"),
    Options.withSchema(
      Schema.Number.pipe(Schema.positive()).annotations(
        withMessage("--timeout must be a number of seconds greater than 0.")
      )
    ),
    Options.withDefault(300),
    describedAs("The timeout of a generation in seconds. 300 by default.")
  ),
  // Its URL may contain a password.
  proxy: Options.redacted("proxy").pipe(
    Options.withPseudoName("URL"),
    describedAs("An HTTP proxy. By default, ARTA_PROXY, or HTTPS_PROXY, HTTP_PROXY and NO_PROXY."),
    Options.optional
  ),
  emulator: Options.boolean("emulator").pipe(
    describedAs("Use the built-in emulator: no key, no network, synthetic images.")
  )
}

export type ServiceOptions = Parsed<typeof serviceOptions>

const withoutPassword = ({ host, password, protocol, username }: URL): string =>
  `${protocol}//${username + password === "" ? "" : "USER:PASSWORD@"}${host}`

/** The flag as a hint may show it: `USER:PASSWORD` stands for the credentials of the proxy. */
export const proxyFlag = (proxy: ServiceOptions["proxy"]): ReadonlyArray<string> =>
  Option.match(Option.flatMap(proxy, Option.liftThrowable((url) => new URL(Redacted.value(url)))), {
    onNone: () => [],
    onSome: (url) => ["--proxy", withoutPassword(url)]
  })

/** The flags of the `watch` command that resumes a generation. None: the emulator in memory cannot resume. */
export const watchFlags = (input: SaveOptions & ServiceOptions): Option.Option<ReadonlyArray<string>> =>
  input.emulator
    ? Option.none()
    : Option.some([...(input.noSave ? ["--no-save"] : ["-o", input.output]), ...proxyFlag(input.proxy)])

export const concurrency = Options.integer("concurrency").pipe(
  Options.withAlias("c"),
  Options.withSchema(
    Schema.Int.pipe(Schema.positive()).annotations(withMessage("-c must be a whole number greater than 0."))
  ),
  Options.withDefault(4),
  describedAs("The number of generations in flight at once. 4 by default.")
)

export const port = Options.integer("port").pipe(
  Options.withSchema(
    Schema.Int.pipe(Schema.between(0, 65535)).annotations(withMessage("--port must be a port from 0 to 65535."))
  ),
  Options.withDefault(0),
  describedAs("The port to serve on. A free one by default.")
)
