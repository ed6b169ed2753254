import { Agent } from "@effect/platform-node/Undici"
import { loop } from "./loop.js"

const agent = new Agent()

/** The minimal loop over the dispatcher of undici, which is the least that a request costs on it. */
export const contender = loop((url, { body, headers, method }) => {
  const { origin, pathname, search } = new URL(url)
  return new Promise((resolve, reject) => {
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
          if (status === 200) resolve(JSON.parse(text))
          else reject(new Error(String(status)))
        },
        onResponseError: (_, error) => {
          reject(error)
        }
      }
    )
  })
})
