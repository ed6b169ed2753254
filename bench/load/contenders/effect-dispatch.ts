import * as Effect from "effect/Effect"
import type { Contender } from "../measures.js"
import { dispatch } from "./dispatch.js"
import type { Request } from "./loop.js"
import { formFields } from "./loop.js"

interface SignUpResponse {
  readonly idToken: string
}

interface SubmitResponse {
  readonly record_id: string
}

interface StatusResponse {
  readonly status: string
  readonly response: ReadonlyArray<{ readonly url: string }>
}

const send = (url: string, request: Request): Effect.Effect<unknown, Error> =>
  Effect.async((resume) => {
    dispatch(url, request, {
      json: (value) => {
        resume(Effect.succeed(value))
      },
      error: (error) => {
        resume(Effect.fail(error))
      }
    })
  })

/** The minimal loop over undici's dispatcher as an Effect program. It shows what Effect costs on its own. */
export const contender: Contender = ({ interval, server }) => {
  const program = Effect.gen(function* () {
    const signUp = {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ clientType: "CLIENT_TYPE_ANDROID" })
    } as const
    const { idToken: authorization } = (yield* send(`${server}/sign-up?key=k`, signUp)) as SignUpResponse

    return (index: number) =>
      Effect.gen(function* () {
        const { record_id } = (yield* send(`${server}/arta/text2image`, {
          method: "POST",
          headers: { authorization, "content-type": "application/x-www-form-urlencoded" },
          body: new URLSearchParams(formFields(index)).toString()
        })) as SubmitResponse

        const url = `${server}/arta/text2image/${record_id}/status`
        for (;;) {
          const { response, status } = (yield* send(url, {
            method: "GET",
            headers: { authorization }
          })) as StatusResponse
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
    ).pipe(Effect.runPromise)
  )
}
