import { setTimeout } from "node:timers/promises"
import type { Contender } from "../measures.js"
import { runConcurrently } from "../measures.js"

export interface Request {
  readonly method: "GET" | "POST"
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** Sends a request and returns the JSON of the response. Throws if the status is not 200. */
export type Send = (url: string, request: Request) => Promise<unknown>

interface StatusResponse {
  readonly status: string
  readonly response: ReadonlyArray<{ readonly url: string }>
}

/** The form fields that every loop submits. */
export const formFields = (index: number): Readonly<Record<string, string>> => ({
  prompt: `lighthouse ${String(index)}`,
  negative_prompt: "blurry, deformed hands, ugly",
  style: "Flux",
  images_num: "1",
  cfg_scale: "7",
  steps: "30",
  aspect_ratio: "1:1",
  seed: String(10_000 + index)
})

/** A minimal client: it signs up once, submits, and polls at a fixed interval. It never retries. */
export const loop =
  (send: Send): Contender =>
  ({ interval, server }) => {
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
        body: new URLSearchParams(formFields(index)).toString()
      })) as { readonly record_id: string }

      const url = `${server}/arta/text2image/${submitted.record_id}/status`
      for (;;) {
        const { response, status } = (await send(url, { method: "GET", headers: { authorization } })) as StatusResponse
        if (status !== "IN_QUEUE" && status !== "IN_PROGRESS")
          return response[0]?.url ?? Promise.reject(new Error(status))
        await setTimeout(interval)
      }
    }

    return Promise.resolve(runConcurrently(generate))
  }
