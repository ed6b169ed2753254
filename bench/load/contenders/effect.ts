import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Effect, Schema } from "effect"
import type { Contender } from "../measures.js"
import { formFields } from "./loop.js"

const SignUpResponse = Schema.Struct({ idToken: Schema.String })
const SubmitResponse = Schema.Struct({ record_id: Schema.String })
const StatusResponse = Schema.Struct({
  status: Schema.String,
  response: Schema.Array(Schema.Struct({ url: Schema.String }))
})

/** The minimal loop as an Effect program. It shows what Effect and its HTTP client cost on their own. */
export const contender: Contender = ({ interval, server }) => {
  const submission = HttpClientRequest.post(`${server}/arta/text2image`)
  const signUp = HttpClientRequest.post(`${server}/sign-up?key=k`).pipe(
    HttpClientRequest.bodyUnsafeJson({ clientType: "CLIENT_TYPE_ANDROID" })
  )

  const program = Effect.gen(function* () {
    const client = HttpClient.filterStatusOk(yield* HttpClient.HttpClient)
    const send = <A, I>(schema: Schema.Schema<A, I>, request: HttpClientRequest.HttpClientRequest) =>
      Effect.flatMap(client.execute(request), HttpClientResponse.schemaBodyJson(schema))
    const { idToken } = yield* send(SignUpResponse, signUp)
    const withToken = HttpClientRequest.setHeader("authorization", idToken)

    return (index: number) =>
      Effect.gen(function* () {
        const form = HttpClientRequest.bodyUrlParams(submission, formFields(index))
        const { record_id } = yield* send(SubmitResponse, withToken(form))
        const poll = send(
          StatusResponse,
          withToken(HttpClientRequest.get(`${server}/arta/text2image/${record_id}/status`))
        )
        for (;;) {
          const { response, status } = yield* poll
          if (status !== "IN_QUEUE" && status !== "IN_PROGRESS") return yield* Effect.fromNullable(response[0]?.url)
          yield* Effect.sleep(interval)
        }
      })
  })

  return Promise.resolve(({ concurrency, generations }, observer) =>
    Effect.flatMap(program, (generate) =>
      Effect.forEach(
        Array.from({ length: generations }, (_, i) => i),
        (i) => Effect.match(generate(i), { onFailure: observer.failure, onSuccess: observer.image }),
        { concurrency, discard: true }
      )
    ).pipe(Effect.provide(NodeHttpClient.layerUndici), Effect.runPromise)
  )
}
