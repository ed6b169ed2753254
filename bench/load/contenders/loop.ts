import { setTimeout } from "node:timers/promises"
import type { Contender, Surroundings } from "../measures.js"
import { allAtOnce } from "../measures.js"

export interface Request {
  readonly method: "GET" | "POST"
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** Sends a request and gives the JSON of the response. Throws if its status is not 200. */
export type Send = (url: string, request: Request) => Promise<unknown>

interface Status {
  readonly status: string
  readonly response: ReadonlyArray<{ readonly url: string }>
}

/** Milliseconds between two questions. */
export const interval = 500

/** What every loop submits. */
export const formOf = (index: number): Readonly<Record<string, string>> => ({
  prompt: `lighthouse ${String(index)}`,
  negative_prompt: "blurry, deformed hands, ugly",
  style: "Flux",
  images_num: "1",
  cfg_scale: "7",
  steps: "30",
  aspect_ratio: "1:1",
  seed: String(10_000 + index)
})

/** What one writes in a quarter of an hour: sign up, submit, ask twice a second. Nothing that fails is tried again. */
export const loop =
  (send: Send): Contender =>
  ({ server }: Surroundings) => {
    const signUp = async () => {
      const request = {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ clientType: "CLIENT_TYPE_ANDROID" })
      } as const
      const { idToken } = (await send(`${server}/sign-up?key=k`, request)) as { readonly idToken: string }
      return idToken
    }
    let token: Promise<string> | undefined

    const generate = async (index: number) => {
      token ??= signUp()
      const authorization = await token
      const submitted = (await send(`${server}/arta/text2image`, {
        method: "POST",
        headers: { authorization, "content-type": "application/x-www-form-urlencoded" },
        body: new URLSearchParams(formOf(index)).toString()
      })) as { readonly record_id: string }

      const url = `${server}/arta/text2image/${submitted.record_id}/status`
      for (;;) {
        const { response, status } = (await send(url, { method: "GET", headers: { authorization } })) as Status
        if (status !== "IN_QUEUE" && status !== "IN_PROGRESS")
          return response[0]?.url ?? Promise.reject(new Error(status))
        await setTimeout(interval)
      }
    }

    return Promise.resolve(allAtOnce(generate))
  }
