import { execFileSync } from "node:child_process"
import { existsSync } from "node:fs"
import { join, resolve } from "node:path"
import { pathToFileURL } from "node:url"
import { key } from "./openAiServer.js"

const packages = [
  "openai@7.57.0",
  "@langchain/openai@1.6.0",
  "@ai-sdk/openai@3.0.141",
  "@ai-sdk/openai-compatible@2.0.92",
  "ai6@npm:ai@6.0.326",
  "ai7@npm:ai@7.0.173"
]
const versionsUntil = "2026-11-20"

/** Only these tests need the clients, so they are no dependencies of the package. */
const directory = resolve("node_modules/.cache/openai-clients-7.57.0-6.0.326-7.0.173")

/** Installs the clients if they are missing. The date pins the versions of their dependencies. */
export const installClients = () => {
  if (existsSync(join(directory, "node_modules/.package-lock.json"))) return
  const options = ["--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--before", versionsUntil]
  execFileSync("npm", ["install", "--prefix", directory, ...options, ...packages], { stdio: "ignore" })
}

export interface Call {
  /** The address of the server, with `/v1`. */
  readonly baseURL: string
  readonly prompt: string
  /** How long the client waits, in milliseconds. */
  readonly timeout?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** Generates an image as a program with the client does, and returns its base64. */
type Draw = (call: Call) => Promise<string | undefined>

interface OpenAi {
  readonly default: new (options: object) => {
    readonly images: {
      readonly generate: (
        body: object,
        options: object
      ) => Promise<{ readonly data: ReadonlyArray<{ readonly b64_json?: string }> }>
    }
  }
}

interface LangChain {
  readonly DallEAPIWrapper: new (options: object) => {
    readonly invoke: (input: string, options: object) => Promise<string | undefined>
  }
}

type Provider = (options: object) => { readonly imageModel: (id: string) => unknown }

interface Providers {
  readonly createOpenAI?: Provider
  readonly createOpenAICompatible?: Provider
}

interface AiSdk {
  readonly generateImage: (options: object) => Promise<{ readonly image: { readonly base64: string } }>
}

const load = (file: string): Promise<unknown> =>
  import(/* @vite-ignore */ pathToFileURL(join(directory, "node_modules", file)).href)

const openAi: Draw = async ({ baseURL, prompt, signal, timeout }) => {
  const { default: OpenAI } = (await load("openai/index.mjs")) as OpenAi
  const client = new OpenAI({ baseURL, apiKey: key, ...(timeout !== undefined && { timeout }) })
  const { data } = await client.images.generate({ model: "dall-e-3", prompt }, { signal })
  return data[0]?.b64_json
}

const langChain: Draw = async ({ baseURL, prompt, signal, timeout }) => {
  const { DallEAPIWrapper } = (await load("@langchain/openai/dist/index.js")) as LangChain
  const tool = new DallEAPIWrapper({ baseUrl: baseURL, apiKey: key, dallEResponseFormat: "b64_json" })
  return tool.invoke(prompt, { ...(signal && { signal }), ...(timeout !== undefined && { timeout }) })
}

const aiSdk =
  (sdk: "ai6" | "ai7", provider: "openai" | "openai-compatible"): Draw =>
  async ({ baseURL, prompt, signal, timeout }) => {
    const { generateImage } = (await load(sdk === "ai6" ? "ai6/dist/index.mjs" : "ai7/dist/index.js")) as AiSdk
    const providers = (await load(`@ai-sdk/${provider}/dist/index.mjs`)) as Providers
    const create = providers.createOpenAI ?? providers.createOpenAICompatible
    const model = create?.({ baseURL, apiKey: key, name: "arta" }).imageModel("dall-e-3")
    const abortSignal = signal ?? (timeout === undefined ? undefined : AbortSignal.timeout(timeout))
    const { image } = await generateImage({ model, prompt, abortSignal })
    return image.base64
  }

export const clients: Readonly<Record<string, Draw>> = {
  "openai 7": openAi,
  "ai 6 with @ai-sdk/openai": aiSdk("ai6", "openai"),
  "ai 7 with @ai-sdk/openai": aiSdk("ai7", "openai"),
  "ai 6 with @ai-sdk/openai-compatible": aiSdk("ai6", "openai-compatible"),
  "ai 7 with @ai-sdk/openai-compatible": aiSdk("ai7", "openai-compatible"),
  "LangChain's DallEAPIWrapper": langChain
}
