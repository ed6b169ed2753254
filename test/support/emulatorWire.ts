import { Effect } from "effect"
import { ArtaEmulator } from "effect-arta/testing"
import { decode } from "fast-png"

/** A response as a program without this library sees it. */
export interface Reply {
  readonly status: number
  readonly type: string
  readonly retryAfter: string | null
  /** A JSON value, or the text of any other body. */
  readonly body: unknown
}

type Form = Readonly<Record<string, string>>

const json = "application/json"

/** Fails with `lost` if the response does not arrive completely. */
const send = (url: string, init: RequestInit) =>
  Effect.map(
    Effect.tryPromise({
      try: async (signal) => {
        const response = await fetch(url, { ...init, signal })
        return { headers: response.headers, status: response.status, text: await response.text() }
      },
      catch: () => "lost" as const
    }),
    ({ headers, status, text }): Reply => {
      const type = headers.get("content-type")?.split(";")[0] ?? ""
      const body: unknown = type === json ? JSON.parse(text) : text
      return { status, type, retryAfter: headers.get("retry-after"), body }
    }
  )

/** What `send` returns for a JSON response. */
export const reply = (status: number, body: unknown): Reply => ({ status, type: json, retryAfter: null, body })

/** The error response of the identity services. */
export const identityReply = (code: number, message: string, reason = "invalid", status?: string): Reply =>
  reply(code, { error: { code, message, errors: [{ message, reason, domain: "global" }], status } })

/** A text field of a JSON body. */
export const field = ({ body }: Reply, name: string): string => {
  const value: unknown = typeof body === "object" && body !== null ? Reflect.get(body, name) : undefined
  return typeof value === "string" ? value : ""
}

export const signUp = (query = "?key=k") =>
  Effect.flatMap(ArtaEmulator.urls, ({ signUpUrl }) =>
    send(`${signUpUrl}${query}`, { method: "POST", body: JSON.stringify({ clientType: "CLIENT_TYPE_ANDROID" }) })
  )

export const refresh = (form: Form, key = "k") =>
  Effect.flatMap(ArtaEmulator.urls, ({ tokenUrl }) =>
    send(`${tokenUrl}?key=${key}`, { method: "POST", body: new URLSearchParams(form) })
  )

export const refreshWith = (token: string) => refresh({ grant_type: "refresh_token", refresh_token: token })

export const form = {
  prompt: "a cat",
  negative_prompt: "",
  style: "Flux",
  images_num: "2",
  cfg_scale: "7",
  steps: "30",
  aspect_ratio: "1:1",
  seed: "1"
}

export const submit = (token: string | undefined, fields: Form = form) =>
  Effect.flatMap(ArtaEmulator.urls, ({ apiUrl }) =>
    send(`${apiUrl}/text2image`, {
      method: "POST",
      headers: token === undefined ? {} : { authorization: token },
      body: new URLSearchParams(fields)
    })
  )

export const status = (token: string, recordId: string) =>
  Effect.flatMap(ArtaEmulator.urls, ({ apiUrl }) =>
    send(`${apiUrl}/text2image/${recordId}/status`, { headers: { authorization: token } })
  )

/** The address of a path on the emulator's port. */
export const address = (path: string) => Effect.map(ArtaEmulator.urls, ({ apiUrl }) => new URL(path, apiUrl).href)

export const get = (path: string) => Effect.flatMap(address(path), (url) => send(url, {}))

/** Submits a request and decodes one of its images. */
export const imageOf = (fields: Form, index = 0) =>
  Effect.gen(function* () {
    const token = field(yield* signUp(), "idToken")
    const recordId = field(yield* submit(token, { ...form, ...fields }), "record_id")
    const url = yield* address(`/images/${recordId}/${String(index)}.png`)
    return yield* Effect.promise(async () => decode(await (await fetch(url)).arrayBuffer()))
  })
