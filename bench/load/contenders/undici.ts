import { request } from "@effect/platform-node/Undici"
import { loop } from "./loop.js"

/** The minimal loop over `undici.request`. */
export const contender = loop(async (url, options) => {
  const { body, statusCode } = await request(url, options)
  if (statusCode !== 200) throw new Error(String(statusCode))
  return body.json()
})
