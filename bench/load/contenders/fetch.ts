import { loop } from "./loop.js"

/** The minimal loop over Node's `fetch`. */
export const contender = loop(async (url, request) => {
  const response = await fetch(url, request)
  if (response.status !== 200) throw new Error(String(response.status))
  return response.json()
})
