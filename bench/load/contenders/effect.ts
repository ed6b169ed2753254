import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Effect, Schema } from "effect"
import type { Contender } from "../measures.js"
import { formOf, interval } from "./loop.js"

const SignedUp = Schema.Struct({ idToken: Schema.String })
const Submitted = Schema.Struct({ record_id: Schema.String })
const Status = Schema.Struct({ status: Schema.String, response: Schema.Array(Schema.Struct({ url: Schema.String })) })

/** The loop by hand as an Effect program: what Effect and its HTTP client cost before anything is added to them. */
export const contender: Contender = ({ server }) => {
  const submission = HttpClientRequest.post(`${server}/arta/text2image`)
  const signUp = HttpClientRequest.post(`${server}/sign-up?key=k`).pipe(
    HttpClientRequest.bodyUnsafeJson({ clientType: "CLIENT_TYPE_ANDROID" })
  )

  const program = Effect.gen(function* () {
    const client = HttpClient.filterStatusOk(yield* HttpClient.HttpClient)
    const send = <A, I>(schema: Schema.Schema<A, I>, request: HttpClientRequest.HttpClientRequest) =>
      Effect.flatMap(client.execute(request), HttpClientResponse.schemaBodyJson(schema))
    const { idToken } = yield* send(SignedUp, signUp)
    const withToken = HttpClientRequest.setHeader("authorization", idToken)

    return (index: number) =>
      Effect.gen(function* () {
        const form = HttpClientRequest.bodyUrlParams(submission, formOf(index))
        const { record_id } = yield* send(Submitted, withToken(form))
        const ask = send(Status, withToken(HttpClientRequest.get(`${server}/arta/text2image/${record_id}/status`)))
        for (;;) {
          const { response, status } = yield* ask
          if (status !== "IN_QUEUE" && status !== "IN_PROGRESS") return yield* Effect.fromNullable(response[0]?.url)
          yield* Effect.sleep(interval)
        }
      })
  })

  return Promise.resolve((generations, tell) =>
    Effect.flatMap(program, (generate) =>
      Effect.forEach(
        Array.from({ length: generations }, (_, i) => i),
        (i) => Effect.match(generate(i), { onFailure: tell.failure, onSuccess: tell.image }),
        { concurrency: "unbounded", discard: true }
      )
    ).pipe(Effect.provide(NodeHttpClient.layerUndici), Effect.runPromise)
  )
}
