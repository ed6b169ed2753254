import { defaultModel } from "../../ImageModel.js"

const nullable = (type: string, more: object = {}) => ({ type: [type, "null"], ...more })

const json = (schema: object) => ({ "application/json": { schema } })

const reference = (name: string) => ({ $ref: `#/components/schemas/${name}` })

const failure = (description: string) => ({ description, content: json(reference("Error")) })

const errorResponses = {
  "400": failure("The request is invalid. Nothing was submitted."),
  "401": failure("The key is missing or wrong."),
  "404": failure("There is no such model or generation."),
  "413": failure("The body is too large."),
  "422": failure("The generation failed."),
  "424": failure("The generation did not finish in time, or its outcome is unknown. It was not sent again."),
  "429": failure("The service limits the rate. Nothing was submitted."),
  "503": failure("The server is stopping. Nothing was submitted.")
}

const operation = (summary: string, content: object, more: object = {}) => ({
  summary,
  responses: { "200": { description: "OK", content }, ...errorResponses },
  ...more
})

const body = (schema: object) => ({ requestBody: { required: true, content: json(schema) } })

const parameter = (name: string, where: "path" | "query" | "header", schema: object, description?: string) => ({
  name,
  in: where,
  schema,
  ...(where === "path" && { required: true }),
  ...(description && { description })
})

const requestFields = {
  prompt: { type: "string" },
  model: nullable("string", {
    default: defaultModel,
    description: "See /v1/models. dall-e-* and gpt-image-* are accepted too."
  }),
  n: nullable("integer", { minimum: 1, maximum: 8, default: 1 }),
  size: nullable("string", { description: "WIDTHxHEIGHT or auto. The nearest aspect ratio is used." }),
  aspect_ratio: nullable("string", { pattern: "^[1-9]\\d*:[1-9]\\d*$", default: "1:1" }),
  negative_prompt: nullable("string"),
  steps: nullable("integer", { minimum: 1, maximum: 100, default: 30 }),
  guidance_scale: nullable("number", { minimum: 0, default: 7 }),
  seed: nullable("integer", { minimum: 0, maximum: 99_999_999 }),
  stream: nullable("boolean", { default: false }),
  progress: nullable("boolean", { default: false, description: "With stream: events of the progress too." })
}

const images = {
  data: {
    type: "array",
    items: { type: "object", properties: { b64_json: { type: "string" } }, required: ["b64_json"] }
  },
  output_format: { type: "string", enum: ["png", "jpeg", "webp"] },
  missing: { type: "integer", description: "How many of the requested images did not come." },
  warnings: { type: "array", items: { type: "string" } }
}

const schemas = {
  ImageRequest: { type: "object", properties: requestFields, required: ["prompt"] },
  Images: {
    type: "object",
    properties: {
      created: { type: "integer" },
      ...images,
      record_id: { type: "string" },
      model: { type: "string" },
      seed: { type: "integer" }
    },
    required: ["created", "data", "output_format", "record_id", "model", "seed"]
  },
  Generation: {
    type: "object",
    properties: {
      id: { type: "string" },
      object: { const: "image.generation" },
      record_id: { type: "string" },
      status: { type: "string", enum: ["queued", "in_progress", "completed", "failed"] },
      created: { type: "integer" },
      request: { type: "object" },
      ...images,
      error: { type: "object" }
    },
    required: ["id", "object", "record_id", "status"]
  },
  Error: {
    type: "object",
    properties: {
      error: {
        type: "object",
        properties: {
          message: { type: "string" },
          type: { type: "string" },
          param: nullable("string"),
          code: { type: "string" },
          record_id: { type: "string", description: "The accepted generation." },
          seed: { type: "integer", description: "Finds a submission whose outcome is unknown." }
        },
        required: ["message", "type", "param", "code"]
      }
    },
    required: ["error"]
  },
  Model: {
    type: "object",
    properties: {
      id: { type: "string" },
      object: { const: "model" },
      created: { type: "integer" },
      owned_by: { type: "string" }
    },
    required: ["id", "object", "created", "owned_by"]
  }
}

const listOf = (name: string) =>
  json({
    type: "object",
    properties: { object: { const: "list" }, data: { type: "array", items: reference(name) } },
    required: ["object", "data"]
  })

const eventStream = { "text/event-stream": { schema: { type: "string" } } }

const chatPath = {
  "/v1/chat/completions": {
    post: operation(
      "Generate an image for the last messages of a chat.",
      {
        "application/json": { schema: { type: "object" } },
        ...eventStream
      },
      body({
        type: "object",
        properties: { messages: { type: "array" }, model: requestFields.model },
        required: ["messages"]
      })
    )
  }
}

/** The routes as an OpenAPI document. */
export const openApi = ({ chat, hasKey }: { readonly chat: boolean; readonly hasKey: boolean }) => ({
  openapi: "3.1.0",
  info: {
    title: "effect-arta",
    version: "1",
    description: "OpenAI's endpoint for images, on ARTA. No request is submitted twice."
  },
  ...(hasKey && { security: [{ key: [] }] }),
  paths: {
    "/v1/images/generations": {
      post: operation(
        "Generate images.",
        { ...json(reference("Images")), ...eventStream },
        {
          ...body(reference("ImageRequest")),
          parameters: [
            parameter("Idempotency-Key", "header", { type: "string" }, "Requests with the same key and body are one.")
          ]
        }
      ),
      get: operation("List the generations of this server.", listOf("Generation"))
    },
    "/v1/images/generations/{record_id}": {
      get: operation(
        "Get the status of a generation, and its images once it has completed.",
        { ...json(reference("Generation")), ...eventStream },
        {
          parameters: [
            parameter("record_id", "path", { type: "string" }),
            parameter("stream", "query", { type: "boolean" }, "Send events instead.")
          ]
        }
      )
    },
    "/v1/models": { get: operation("List the models.", listOf("Model")) },
    "/v1/models/{model}": {
      get: operation("Describe a model.", json(reference("Model")), {
        parameters: [parameter("model", "path", { type: "string" })]
      })
    },
    ...(chat && chatPath),
    "/healthz": {
      get: { summary: "Say that the server runs.", security: [], responses: { "200": { description: "OK" } } }
    }
  },
  components: {
    schemas,
    ...(hasKey && { securitySchemes: { key: { type: "http", scheme: "bearer" } } })
  }
})
