import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { bodyOf, openAiServer, send } from "../support/openAiServer.js"

const schema = (name: string) => ({ schema: { $ref: `#/components/schemas/${name}` } })

const error = (description: string) => ({ description, content: { "application/json": schema("Error") } })

const errors = {
  "400": error("The request is invalid. Nothing was submitted."),
  "401": error("The key is missing or wrong."),
  "404": error("There is no such model or generation."),
  "413": error("The body is too large."),
  "422": error("The generation failed."),
  "424": error("The generation did not finish in time, or its outcome is unknown. It was not sent again."),
  "429": error("The service limits the rate. Nothing was submitted."),
  "503": error("The server is stopping. Nothing was submitted.")
}

const events = { "text/event-stream": { schema: { type: "string" } } }

const json = (name: string) => ({ "application/json": schema(name) })

const listOf = (name: string) => ({
  "application/json": {
    schema: {
      type: "object",
      properties: { object: { const: "list" }, data: { type: "array", items: schema(name).schema } },
      required: ["object", "data"]
    }
  }
})

const responses = (content: object) => ({ "200": { description: "OK", content }, ...errors })

const required = { in: "path", required: true, schema: { type: "string" } }

const paths = {
  "/v1/images/generations": {
    post: {
      summary: "Generate images.",
      parameters: [
        {
          name: "Idempotency-Key",
          in: "header",
          schema: { type: "string" },
          description: "Requests with the same key and body are one."
        }
      ],
      requestBody: { required: true, content: json("ImageRequest") },
      responses: responses({ ...json("Images"), ...events })
    },
    get: { summary: "List the generations of this server.", responses: responses(listOf("Generation")) }
  },
  "/v1/images/generations/{record_id}": {
    get: {
      summary: "Get the status of a generation, and its images once it has completed.",
      parameters: [
        { name: "record_id", ...required },
        { name: "stream", in: "query", schema: { type: "boolean" }, description: "Send events instead." }
      ],
      responses: responses({ ...json("Generation"), ...events })
    }
  },
  "/v1/models": { get: { summary: "List the models.", responses: responses(listOf("Model")) } },
  "/v1/models/{model}": {
    get: {
      summary: "Describe a model.",
      parameters: [{ name: "model", ...required }],
      responses: responses(json("Model"))
    }
  },
  "/healthz": {
    get: { summary: "Say that the server runs.", security: [], responses: { "200": { description: "OK" } } }
  }
}

const chat = {
  summary: "Generate an image for the last messages of a chat.",
  requestBody: {
    required: true,
    content: {
      "application/json": {
        schema: {
          type: "object",
          properties: { messages: { type: "array" }, model: expect.any(Object) as unknown },
          required: ["messages"]
        }
      }
    }
  },
  responses: responses({ "application/json": { schema: { type: "object" } }, ...events })
}

const document = Effect.map(send("/openapi.json"), bodyOf)

describe.concurrent("The OpenAPI document", { timeout: 60_000 }, () => {
  it.live("describes each route of a server with a key", () =>
    Effect.gen(function* () {
      const { components, ...rest } = yield* document
      expect(rest).toEqual({
        openapi: "3.1.0",
        info: {
          title: "effect-arta",
          version: "1",
          description: "OpenAI's endpoint for images, on ARTA. No request is submitted twice."
        },
        security: [{ key: [] }],
        paths
      })
      expect(components).toMatchObject({ securitySchemes: { key: { type: "http", scheme: "bearer" } } })
    }).pipe(Effect.provide(openAiServer()))
  )

  it.live("describes chats if the server has them", () =>
    Effect.gen(function* () {
      expect((yield* document)["paths"]).toEqual({ ...paths, "/v1/chat/completions": { post: chat } })
    }).pipe(Effect.provide(openAiServer({}, { chat: true })))
  )
})
