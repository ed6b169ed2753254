import { Agent } from "@effect/platform-node/Undici"
import type { Request } from "./loop.js"
import { loop } from "./loop.js"

const agent = new Agent()

interface Outcome {
  readonly json: (value: unknown) => void
  readonly error: (error: Error) => void
}

/** Sends a request, with the least that this costs on the dispatcher of undici. */
export const dispatch = (url: string, { body, headers, method }: Request, outcome: Outcome): void => {
  const { origin, pathname, search } = new URL(url)
  let status = 0
  let text = ""
  agent.dispatch(
    { origin, path: pathname + search, method, headers: headers ?? {}, body: body ?? null },
    {
      // Without it, undici takes this for a handler of the older form.
      onRequestStart: () => undefined,
      onResponseStart: (_, statusCode) => {
        status = statusCode
      },
      onResponseData: (_, chunk) => {
        text += chunk.toString()
      },
      onResponseEnd: () => {
        if (status === 200) outcome.json(JSON.parse(text))
        else outcome.error(new Error(String(status)))
      },
      onResponseError: (_, error) => {
        outcome.error(error)
      }
    }
  )
}

/** The minimal loop over the dispatcher of undici. */
export const contender = loop(
  (url, request) =>
    new Promise((resolve, reject) => {
      dispatch(url, request, { json: resolve, error: reject })
    })
)
