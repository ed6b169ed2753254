import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { GenerateRequest } from "effect-arta"
import type { Parsed } from "../commandLine/command.js"
import { inGroup, onOff, optional, withDefault } from "../commandLine/command.js"
import * as Value from "../commandLine/value.js"

/** The options of a generation, without its prompt. */
export const imageOptions = inGroup("Image", {
  model: optional("model", Value.text("MODEL", "model"), {
    alias: "m",
    summary: "The name or alias of a model",
    byDefault: "Flux"
  }),
  n: optional("n", Value.integer("N"), { summary: "The number of images", byDefault: "1" }),
  negative: optional("negative", Value.text("TEXT"), { summary: "What to avoid" }),
  aspect: optional("aspect", Value.text("W:H"), { summary: "The aspect ratio, such as 16:9", byDefault: "1:1" }),
  steps: optional("steps", Value.integer("N"), { summary: "The steps for each image", byDefault: "30" }),
  guidance: optional("guidance", Value.number("X"), {
    summary: "How closely to follow the prompt, from 0",
    byDefault: "7"
  }),
  seed: optional("seed", Value.integer("N"), {
    summary: "0 to 99999999, for the same image again",
    byDefault: "random"
  })
})

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

const flagOf = (flag: string, value: Option.Option<string | number>): ReadonlyArray<string> =>
  Option.match(value, { onNone: () => [], onSome: (given) => [flag, String(given)] })

/** The flags of `imageOptions` as they were given. */
export const imageFlags = (given: ImageOptions): ReadonlyArray<string> => [
  ...flagOf("-m", given.model),
  ...flagOf("-n", given.n),
  ...flagOf("--negative", given.negative),
  ...flagOf("--aspect", given.aspect),
  ...flagOf("--steps", given.steps),
  ...flagOf("--guidance", given.guidance),
  ...flagOf("--seed", given.seed)
]

export const limitOptions = inGroup("Image", {
  noLimits: onOff("no-limits", { summary: "Allow more than 8 images and 100 steps" })
})

export type LimitOptions = Parsed<typeof limitOptions>

/** The library's setting for `--no-limits`. */
export const limitsOf = ({ noLimits }: LimitOptions) => ({ limits: noLimits ? "none" : "service" }) as const

export const limitFlags = ({ noLimits }: LimitOptions): ReadonlyArray<string> => (noLimits ? ["--no-limits"] : [])

export const outputOptions = inGroup("Output", {
  output: withDefault("output", Value.directory("DIR"), "images", {
    alias: "o",
    summary: "The directory for the images"
  }),
  metadata: withDefault("metadata", Value.oneOf("full|none", ["full", "none"]), "full", {
    summary: "Write prompt and settings into the images"
  })
})

/** The directory of the images, and what their files say. */
export type OutputOptions = Parsed<typeof outputOptions>

export const metadataFlag = ({ metadata }: OutputOptions): ReadonlyArray<string> =>
  metadata === "full" ? [] : ["--metadata", metadata]

export const jsonOptions = inGroup("Output", {
  json: onOff("json", { summary: "Print one JSON object per line instead of text" })
})

export const quietOptions = inGroup("Output", {
  quiet: onOff("quiet", { alias: "q", summary: "Print no progress and no hints" })
})

export const nameOptions = inGroup("Output", {
  name: optional("name", Value.text("TEMPLATE"), {
    summary: "File names, such as {date}-{prompt}-{index}"
  })
})

export type NameOptions = Parsed<typeof nameOptions>

export const nameFlag = ({ name }: NameOptions): ReadonlyArray<string> =>
  Option.match(name, { onNone: () => [], onSome: (template) => ["--name", template] })

export const saveOptions = {
  ...outputOptions,
  ...inGroup("Output", {
    noSave: onOff("no-save", { summary: "Print the URLs of the images, and save nothing" })
  }),
  ...inGroup("Output", { open: onOff("open", { summary: "Open the images in the default viewer" }) }),
  ...quietOptions,
  ...jsonOptions
}

export type SaveOptions = Parsed<typeof saveOptions>

/** Where the images go. */
export type OutputFlags = Pick<SaveOptions, "output" | "noSave" | "open" | "json">

/** The service and the timeout. */
export const serviceOptions = inGroup("Service", {
  timeout: withDefault("timeout", Value.positive("SECONDS"), 300, { summary: "How long a generation may take" }),
  // Its URL may contain a password.
  proxy: optional("proxy", Value.secret("URL"), {
    summary: "An HTTP proxy",
    byDefault: "from ARTA_PROXY, HTTPS_PROXY"
  }),
  emulator: onOff("emulator", { summary: "Generate synthetic images, without a key" })
})

export type ServiceOptions = Parsed<typeof serviceOptions>

const withoutPassword = ({ host, password, protocol, username }: URL): string =>
  `${protocol}//${username + password === "" ? "" : "USER:PASSWORD@"}${host}`

/** The flag as a hint may show it: `USER:PASSWORD` stands for the credentials of the proxy. */
export const proxyFlag = (proxy: ServiceOptions["proxy"]): ReadonlyArray<string> =>
  Option.match(
    Option.flatMap(
      proxy,
      Option.liftThrowable((url) => new URL(Redacted.value(url)))
    ),
    {
      onNone: () => [],
      onSome: (url) => ["--proxy", withoutPassword(url)]
    }
  )

/** The flags of the `watch` command that resumes a generation. None: the emulator in memory cannot resume. */
export const watchFlags = (
  input: Pick<SaveOptions, "metadata" | "output" | "noSave"> & ServiceOptions
): Option.Option<ReadonlyArray<string>> =>
  input.emulator
    ? Option.none()
    : Option.some([
        ...(input.noSave ? ["--no-save"] : ["-o", input.output, ...metadataFlag(input)]),
        ...proxyFlag(input.proxy)
      ])

const atLeastOne = Value.where(Value.integer("N"), (n) => n > 0, "a whole number greater than 0")

export const batchOptions = inGroup("Batch", {
  concurrency: withDefault("concurrency", atLeastOne, 4, {
    alias: "c",
    summary: "How many generations are in flight at once"
  }),
  retryFailed: onOff("retry-failed", { summary: "Retry only rows that were started and lack images" }),
  again: onOff("again", { summary: "Generate every row once more, with new seeds" }),
  failures: optional("failures", Value.text("FILE"), {
    summary: "Write rows to run again to a .jsonl or .csv"
  })
})

export const port = withDefault("port", Value.port, 0, { summary: "The port to serve on", byDefault: "a free one" })

export const mcpOptions = {
  directory: optional("directory", Value.directory("DIR"), {
    summary: "The directory for the images",
    byDefault: "~/effect-arta"
  }),
  http: optional("http", Value.port, { summary: "Serve HTTP on this port instead of stdio" })
}
