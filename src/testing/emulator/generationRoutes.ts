import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { ServiceName } from "../../ImageModel.js"
import { draw } from "./drawImage.js"
import type { Job, State } from "./state.js"
import { freshId, takeFault } from "./state.js"

export interface GenerationOptions {
  readonly queueTime: Duration.Duration
  readonly drawTime: Duration.Duration
  readonly imageSize: number | undefined
}

const errorResponse = (status: number, detail: unknown) => HttpServerResponse.unsafeJson({ detail }, { status })

const Form = Schema.Struct({
  prompt: Schema.String.pipe(Schema.filter((text) => text.trim() !== "" || "ensure this value is not blank")),
  negative_prompt: Schema.String,
  style: ServiceName,
  images_num: Schema.NumberFromString.pipe(Schema.int(), Schema.positive()),
  cfg_scale: Schema.NumberFromString.pipe(Schema.finite(), Schema.nonNegative()),
  steps: Schema.NumberFromString.pipe(Schema.int(), Schema.positive()),
  aspect_ratio: Schema.String.pipe(Schema.pattern(/^[1-9]\d*:[1-9]\d*$/)),
  seed: Schema.NumberFromString.pipe(Schema.int(), Schema.nonNegative())
})

const decodeForm = Schema.decodeUnknown(Form, { errors: "all" })

const validationIssues = (error: ParseResult.ParseError) =>
  Effect.map(ParseResult.ArrayFormatter.formatError(error), (issues) =>
    issues.map(({ message, path }) => ({ loc: ["body", ...path], msg: message, type: "value_error" }))
  )

const originOf = (request: HttpServerRequest.HttpServerRequest): string =>
  Option.match(HttpServerRequest.toURL(request), { onNone: () => "http://localhost", onSome: ({ origin }) => origin })

/** Submit, status, and images. Responds like ARTA. */
export const generationRoutes = (state: State, options: GenerationOptions) => {
  const queueTime = Duration.toMillis(options.queueTime)
  const totalTime = queueTime + Duration.toMillis(options.drawTime)

  const authorized = <E, R>(
    handler: (
      request: HttpServerRequest.HttpServerRequest
    ) => Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>
  ) =>
    Effect.gen(function* () {
      const request = yield* HttpServerRequest.HttpServerRequest
      const now = yield* Clock.currentTimeMillis
      const expiry = state.expiryByIdToken.get(request.headers["authorization"] ?? "") ?? 0
      return expiry > now ? yield* handler(request) : errorResponse(401, "Invalid or expired token")
    })

  const submit = authorized((request) =>
    Effect.gen(function* () {
      const decoded = yield* Effect.either(decodeForm(Object.fromEntries(new URLSearchParams(yield* request.text))))
      if (Either.isLeft(decoded)) return errorResponse(422, yield* validationIssues(decoded.left))
      const form = decoded.right
      const recordId = yield* freshId("record")
      const fault = takeFault(state, "generation")
      const failure = fault?._tag === "FailGeneration" ? fault : undefined
      state.jobs.set(recordId, { form, submittedAt: yield* Clock.currentTimeMillis, failure })
      return HttpServerResponse.unsafeJson({ record_id: recordId, status: "IN_QUEUE", response: [], detail: null })
    })
  )

  const imagesOf = (recordId: string, { form }: Job, origin: string) =>
    Array.from({ length: form.images_num }, (_, index) => ({
      url: `${origin}/images/${recordId}/${String(index)}.png`
    }))

  const status = authorized((request) =>
    Effect.gen(function* () {
      const { recordId = "" } = yield* HttpRouter.params
      const job = state.jobs.get(recordId)
      if (job === undefined) return errorResponse(404, "Record not found")
      const age = (yield* Clock.currentTimeMillis) - job.submittedAt
      const respond = (status: string, response: ReadonlyArray<unknown> = [], detail: string | null = null) =>
        HttpServerResponse.unsafeJson({ record_id: recordId, status, response, detail })

      if (age < queueTime) return respond("IN_QUEUE")
      if (age < totalTime) return respond("IN_PROGRESS")
      return job.failure === undefined
        ? respond("DONE", imagesOf(recordId, job, originOf(request)))
        : respond(job.failure.status, [], job.failure.detail)
    })
  )

  const image = Effect.gen(function* () {
    const { recordId = "", file = "" } = yield* HttpRouter.params
    const index = Number.parseInt(file, 10)
    const form = state.jobs.get(recordId)?.form
    return form === undefined || !(index < form.images_num)
      ? HttpServerResponse.html("<h1>404 Not Found</h1>").pipe(HttpServerResponse.setStatus(404))
      : HttpServerResponse.uint8Array(
          draw(
            { prompt: form.prompt, model: form.style, seed: form.seed, aspectRatio: form.aspect_ratio, index },
            options.imageSize
          ),
          { contentType: "image/png" }
        )
  })

  return { submit, status, image }
}
