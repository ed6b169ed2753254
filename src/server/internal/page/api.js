// The endpoint of the server, as every other client uses it.

const keyName = "effect-arta.key"

/** The key comes in the fragment of the URL, which no server and no log sees, and leaves the address bar at once. */
const keyFromAddress = () => {
  const given = new URLSearchParams(location.hash.slice(1)).get("key")
  if (given === null) return
  sessionStorage.setItem(keyName, given)
  history.replaceState(null, "", location.pathname + location.search)
}

/** The server refused, and says why. */
class Refusal extends Error {
  constructor(message, { code, recordId, status } = {}) {
    super(message)
    this.code = code
    this.recordId = recordId
    this.status = status
  }
}

const refusalFrom = ({ error } = {}, status) =>
  new Refusal(error?.message ?? `The server returned HTTP ${status}.`, {
    code: error?.code,
    recordId: error?.record_id,
    status
  })

let asking

/** Asks for the key, once for all requests that need it. */
const askForKey = () =>
  (asking ??= new Promise((resolve) => {
    const dialog = find("#key")
    const field = find("#key-value")
    find(".problem", dialog).hidden = sessionStorage.getItem(keyName) === null
    field.value = ""
    dialog.addEventListener("cancel", (event) => event.preventDefault())
    dialog.addEventListener(
      "close",
      () => {
        sessionStorage.setItem(keyName, field.value.trim())
        asking = undefined
        resolve()
      },
      { once: true }
    )
    dialog.showModal()
    field.focus()
  }))

const showOnline = (isOnline) => {
  find("#offline").hidden = isOnline
}

/**
 * Sends a request. Throws a `Refusal` if the server refused it, and what `fetch` throws if there is no response. After a
 * 401, nothing was submitted, so the request is sent again with another key.
 */
const call = async (path, { headers = {}, ...options } = {}) => {
  const key = sessionStorage.getItem(keyName)
  let response
  try {
    response = await fetch(path, {
      ...options,
      cache: "no-store",
      headers: { ...headers, ...(key !== null && { authorization: `Bearer ${key}` }) }
    })
  } catch (error) {
    showOnline(false)
    throw error
  }
  showOnline(true)
  if (response.status === 401) {
    // Another request may have asked meanwhile.
    if (sessionStorage.getItem(keyName) === key) await askForKey()
    return call(path, { headers, ...options })
  }
  if (!response.ok) throw refusalFrom(await response.json().catch(() => ({})), response.status)
  return response
}

const getJson = async (path) => (await call(path)).json()

/** The events of a stream of server-sent events. */
async function* eventsOf(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  let parts = []
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    // An image is a line of megabytes: join its pieces only once it has ended.
    parts.push(value)
    if (!value.includes("\n")) continue
    const blocks = parts.join("").split("\n\n")
    parts = [blocks.pop()]
    for (const block of blocks) {
      const data = block.split("\n").find((line) => line.startsWith("data: "))
      if (data !== undefined) yield JSON.parse(data.slice(6))
    }
  }
}
