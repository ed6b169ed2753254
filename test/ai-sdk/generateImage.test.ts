import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import type { ArtaClient } from "effect-arta"
import { type ArtaProvider, createArta } from "effect-arta/ai-sdk"
import { NodeArta } from "effect-arta/node"
import { ArtaEmulator, Fault } from "effect-arta/testing"
import { build } from "esbuild"
import { spawnSync } from "node:child_process"
import { join, resolve } from "node:path"
import { pathToFileURL } from "node:url"
import { emulatorOnPort } from "../support/emulatorOnPort.js"
import { installed } from "../support/installed.js"
import { blocks } from "../support/pages.js"
import { counts } from "../support/withEmulator.js"

/** What the tests use of the package `ai`. Every version has its own types. */
interface AiSdk {
  readonly generateImage?: Generate
  readonly experimental_generateImage?: Generate
  readonly createProviderRegistry: (providers: Readonly<Record<string, ArtaProvider>>) => {
    readonly imageModel: (id: string) => unknown
  }
}

type Generate = (options: {
  readonly model: unknown
  readonly prompt: string
  readonly n?: number
  readonly seed?: number
  readonly abortSignal?: AbortSignal
}) => Promise<{
  readonly images: ReadonlyArray<{ readonly uint8Array: Uint8Array; readonly mediaType: string }>
  readonly warnings: ReadonlyArray<unknown>
  readonly providerMetadata: { readonly arta: { readonly images: ReadonlyArray<{ readonly recordId: string }> } }
}>

const versions = ["6.0.326", "7.0.173"]

const load = async (version: string): Promise<Required<Pick<AiSdk, "generateImage" | "createProviderRegistry">>> => {
  const url = pathToFileURL(join(installed("ai", version), "ai/dist/index.js")).href
  const sdk = (await import(/* @vite-ignore */ url)) as AiSdk
  const generateImage = sdk.generateImage ?? sdk.experimental_generateImage
  if (generateImage === undefined) throw new Error(`ai ${version} has no generateImage`)
  return { generateImage, createProviderRegistry: sdk.createProviderRegistry }
}

const [program = ""] = blocks("docs/ai-sdk.md", "js")

interface Case {
  readonly faults: ReadonlyArray<Fault.Fault>
  /** The tag of the error, or the number of images. */
  readonly outcome: string | number
  /** Submissions that the service may have accepted. */
  readonly accepted: 0 | 1
  readonly namesGeneration?: boolean
  readonly emulator?: ArtaEmulator.Options
  readonly signal?: () => AbortSignal
  readonly timeout?: string
}

const refusals = (faults: ReadonlyArray<Fault.Fault>) =>
  faults.filter((fault) => fault._tag === "Respond" && fault.on === "submit").length

const wait = { headers: { "retry-after": "1" } }

/** What no retry can turn into an image. */
const sorryPage = Fault.respond("image", 200, { body: "<h1>Sorry</h1>" })

const cases: Readonly<Record<string, Case>> = {
  "nothing goes wrong": { faults: [], outcome: 2, accepted: 1 },
  "the response is lost": {
    faults: [Fault.drop("submit", { handled: true })],
    outcome: "SubmissionUnknownError",
    accepted: 1
  },
  "the submission gets a 500": {
    faults: [Fault.respond("submit", 500)],
    outcome: "SubmissionUnknownError",
    accepted: 0
  },
  "the submission gets a 429": { faults: [Fault.respond("submit", 429, wait)], outcome: 2, accepted: 1 },
  "a poll gets a 429": { faults: [Fault.respond("status", 429, wait)], outcome: 2, accepted: 1 },
  "a poll gets a 500 and a lost response": {
    faults: [Fault.respond("status", 500), Fault.drop("status")],
    outcome: 2,
    accepted: 1
  },
  "the generation fails": {
    faults: [Fault.failGeneration("FAILED", "NSFW content")],
    outcome: "GenerationFailedError",
    accepted: 1,
    namesGeneration: true
  },
  "the generation has no images": {
    faults: [Fault.respond("status", 200, { body: { record_id: "r", status: "DONE", response: [], detail: null } })],
    outcome: "GenerationFailedError",
    accepted: 1,
    namesGeneration: true
  },
  "the call times out": {
    faults: [],
    emulator: { queueTime: "1 hour" },
    signal: () => AbortSignal.timeout(1_000),
    outcome: "ImagesNotReceivedError",
    accepted: 1,
    namesGeneration: true
  },
  "the generation takes too long": {
    faults: [],
    emulator: { queueTime: "1 hour" },
    timeout: "1 second",
    outcome: "GenerationTimeoutError",
    accepted: 1,
    namesGeneration: true
  },
  "a download fails twice": {
    faults: [Fault.respond("image", 503), Fault.drop("image")],
    outcome: 2,
    accepted: 1
  },
  "one image cannot be downloaded": { faults: [sorryPage], outcome: 1, accepted: 1 },
  "no image can be downloaded": {
    faults: [sorryPage, sorryPage],
    outcome: "ImagesNotReceivedError",
    accepted: 1,
    namesGeneration: true
  }
}

const providerOn = ({ timeout }: Case) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const tokenFile = `${yield* fs.makeTempDirectoryScoped()}/credentials.json`
    const client = NodeArta.client({ apiKey: "k", tokenFile, ...(yield* ArtaEmulator.urls) })
    const limited: ArtaClient.ArtaClient = {
      ...client,
      generate: (options, settings) => client.generate(options, { ...settings, timeout: timeout as "1 second" })
    }
    return yield* Effect.acquireRelease(
      Effect.sync(() => createArta({ client: timeout === undefined ? client : limited })),
      (arta) => Effect.promise(arta.close)
    )
  })

describe.each(versions)("generateImage of ai %s", { timeout: 60_000 }, (version) => {
  it.scopedLive.each(Object.entries(cases))("pays once if %s", ([, test]) =>
    Effect.gen(function* () {
      const { generateImage } = yield* Effect.promise(() => load(version))
      const arta = yield* providerOn(test)
      const signal = test.signal?.()
      const result = yield* Effect.either(
        Effect.tryPromise({
          try: () =>
            generateImage({
              model: arta.image("flux"),
              prompt: "a fox",
              n: 2,
              ...(signal && { abortSignal: signal })
            }),
          catch: (error) => error as Error & { readonly _tag: string; readonly recordId?: string }
        })
      )
      if (result._tag === "Left") {
        expect(result.left._tag).toBe(test.outcome)
        if (test.namesGeneration === true) expect(result.left.message).toContain(result.left.recordId ?? "a record id")
      } else {
        expect(result.right.images).toHaveLength(Number(test.outcome))
        expect(result.right.providerMetadata.arta.images).toHaveLength(Number(test.outcome))
        expect(result.right.images.map(({ mediaType }) => mediaType)).not.toContain("image/jpeg")
      }
      expect((yield* counts).submit - refusals(test.faults)).toBe(test.accepted)
    }).pipe(
      Effect.provide(
        Layer.merge(
          emulatorOnPort({ queueTime: 0, drawTime: 0, ...test.emulator, faults: test.faults }),
          NodeContext.layer
        )
      )
    )
  )

  it.scopedLive("finds the model in a registry of providers", () =>
    Effect.gen(function* () {
      const { createProviderRegistry, generateImage } = yield* Effect.promise(() => load(version))
      const registry = createProviderRegistry({ arta: yield* providerOn({ faults: [], outcome: 1, accepted: 1 }) })
      const model = registry.imageModel("arta:flux")
      const { images } = yield* Effect.promise(() => generateImage({ model, prompt: "a fox" }))
      expect(images).toHaveLength(1)
    }).pipe(Effect.provide(Layer.merge(emulatorOnPort({ queueTime: 0, drawTime: 0 }), NodeContext.layer)))
  )

  it.scopedLive("runs the program of the documentation", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped({ directory: join(installed("ai", version), "..") })
      yield* Effect.promise(() =>
        build({
          stdin: { contents: program, resolveDir: directory },
          outfile: `${directory}/program.mjs`,
          bundle: true,
          platform: "node",
          format: "esm",
          alias: Object.fromEntries(
            ["", "/ai-sdk", "/testing", "/node"].map((entry) => [
              `effect-arta${entry}`,
              resolve(`src${entry}/index.ts`)
            ])
          ),
          // Packages that are CommonJS call `require`.
          banner: {
            js: 'import { createRequire as makeRequire } from "node:module"; const require = makeRequire(import.meta.url)'
          }
        })
      )
      const { stderr, stdout } = spawnSync(process.execPath, ["program.mjs"], { cwd: directory })
      expect(String(stderr)).toBe("")
      expect(String(stdout)).toMatch(/^2 0 \{/)
      expect(yield* fs.readDirectory(directory)).toEqual(
        expect.arrayContaining(["lighthouse-0.png", "lighthouse-1.png"]) as Array<string>
      )
    }).pipe(Effect.provide(NodeContext.layer))
  )
})

describe("The program of the documentation", { timeout: 300_000 }, () => {
  it.scopedLive("compiles with the types of every version", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const files = yield* Effect.forEach(versions, (version) =>
        Effect.gen(function* () {
          const file = `${yield* fs.makeTempDirectoryScoped({ directory: join(installed("ai", version), "..") })}/program.mts`
          yield* fs.writeFileString(file, program)
          return file
        })
      )
      const project = `${yield* fs.makeTempDirectoryScoped()}/tsconfig.json`
      const compilerOptions = { typeRoots: [resolve("node_modules/@types")], noPropertyAccessFromIndexSignature: false }
      yield* fs.writeFileString(project, JSON.stringify({ extends: resolve("tsconfig.json"), compilerOptions, files }))
      const { stdout } = spawnSync("node_modules/.bin/tsc", ["--project", project, "--pretty", "false"])
      expect(String(stdout)).toBe("")
    }).pipe(Effect.provide(NodeContext.layer))
  )
})
