import type * as HttpClient from "@effect/platform/HttpClient"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { ArtaApi } from "../../ArtaApi.js"
import type { Completed } from "../../Generation.js"
import type { ApiError } from "./apiError.js"
import { badRequest, toBody } from "./apiError.js"
import { identify } from "./fingerprint.js"
import type { Generations, ServerGeneration } from "./generations.js"
import { awaitAccepted, awaitEnd, noteLeft } from "./generations.js"
import { decodeRequest } from "./imageRequest.js"
import { readJson } from "./readBody.js"
import { requestIdHeader } from "./requestIdHeader.js"
import type { ServerScope } from "./serverScope.js"
import { data, streamEvents } from "./serverSentEvents.js"

// A chat repeats its history, which may hold images.
const maxMebibytes = 16

/** Some characters would end the link early. */
const link = (url: string): string => (/[\s()<>]/.test(url) ? `<${url.replace(/[\s<>]/g, encodeURIComponent)}>` : url)

/** The images as Markdown: more than one if the service delivers more than requested. Their host needs no key. */
const markdown = ({ images, recordId }: Completed, { request }: ServerGeneration): string => {
  const links = images.map(({ index, url }) => `![Image ${String(index + 1)}](${link(url)})`)
  return `${links.join("\n\n")}\n\nSeed ${String(request.seed)}, record id ${recordId}`
}

const noUsage = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 }

const head = ({ createdAt, request }: ServerGeneration, recordId: string) => ({
  id: `chatcmpl-${recordId}`,
  created: Math.floor(createdAt / 1000),
  model: request.model
})

const completion = (generation: ServerGeneration, end: Completed) => ({
  ...head(generation, end.recordId),
  object: "chat.completion",
  choices: [
    {
      index: 0,
      message: { role: "assistant", content: markdown(end, generation), refusal: null },
      logprobs: null,
      finish_reason: "stop"
    }
  ],
  usage: noUsage
})

const chunk = (generation: ServerGeneration, recordId: string, delta: object, finishReason: "stop" | null) =>
  data({
    ...head(generation, recordId),
    object: "chat.completion.chunk",
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finishReason }]
  })

const awaitCompleted = (generation: ServerGeneration): Effect.Effect<Completed, ApiError> =>
  awaitEnd(generation).pipe(Effect.flatMap((end) => (end._tag === "Failed" ? end.error : Effect.succeed(end))))

/** The chunks of a streamed completion. The first one comes at once, so that the client shows that it waits. */
const chunks = (generation: ServerGeneration, recordId: string): Stream.Stream<string> =>
  Stream.concat(
    Stream.succeed(chunk(generation, recordId, { role: "assistant", content: "" }, null)),
    awaitCompleted(generation).pipe(
      Effect.map((end) => [
        chunk(generation, recordId, { content: markdown(end, generation) }, null),
        chunk(generation, recordId, {}, "stop"),
        "data: [DONE]\n\n"
      ]),
      Effect.catchAll((error) => Effect.succeed([data(toBody(error))])),
      Stream.fromIterableEffect
    )
  )

const streamed = (generation: ServerGeneration) =>
  Effect.gen(function* () {
    const accepted = yield* awaitAccepted(generation)
    if (accepted._tag === "Failed") return yield* accepted.error
    const events = Stream.ensuringWith(chunks(generation, accepted.recordId), (exit) => noteLeft(generation, exit))
    return streamEvents(events, accepted.recordId)
  })

const whole = (generation: ServerGeneration) =>
  Effect.map(awaitCompleted(generation), (end) =>
    HttpServerResponse.unsafeJson(completion(generation, end), { headers: requestIdHeader(end.recordId) })
  )

// Open WebUI asks for a title, tags and follow-ups in chats of their own, which would be three more generations.
const isTask = (prompt: string): boolean => /^\s*### Task:/.test(prompt)

const task = badRequest(
  "This asks for text about a chat, such as its title, and the models generate images only. Nothing was submitted. " +
    "Choose another model for such tasks in the settings of your program.",
  "messages",
  400,
  "unsupported"
)

/** Generates an image for the last messages of a chat. */
export const completeChat = (
  generations: Generations
): Effect.Effect<
  HttpServerResponse.HttpServerResponse,
  ApiError,
  HttpServerRequest.HttpServerRequest | Scope.Scope | ServerScope | ArtaApi | HttpClient.HttpClient
> =>
  Effect.gen(function* () {
    const { json, text } = yield* readJson(maxMebibytes)
    const { request, stream } = yield* decodeRequest(json, { messages: json["messages"] ?? [] })
    if (isTask(request.prompt)) return yield* task
    const id = identify(yield* HttpServerRequest.HttpServerRequest, text)
    return yield* generations.use({ ...id, request }, stream ? streamed : whole)
  })

export const refuseChat = badRequest(
  "Chat completions are off: each chat would be a generation. Turn them on with --chat, or the option chat.",
  undefined,
  404,
  "chat_is_off"
)
