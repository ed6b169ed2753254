// Submits generations and follows them. Nothing is submitted twice: a generation whose response was lost is searched for,
// and only the user sends it again.

const endpoint = "/v1/images/generations"
const addressOfRecord = (recordId) => `${endpoint}/${encodeURIComponent(recordId)}`

const change = (generation, changes) => {
  Object.assign(generation, changes)
  saveHistory()
  showGeneration(generation)
}

const blobOf = (base64, format = "png") => {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
  return new Blob([bytes], { type: `image/${format}` })
}

const addImage = (generation, index, base64, format) => {
  generation.images ??= []
  if (generation.images.some((image) => image.index === index)) return
  const image = { index, format: format ?? "png", url: URL.createObjectURL(blobOf(base64, format)), generation }
  generation.images = [...generation.images, image].sort((one, other) => one.index - other.index)
}

const fail = (generation, message, status = "failed") => {
  change(generation, { status, error: message })
  announce(message)
}

const complete = (generation) => {
  change(generation, { status: "completed" })
  announce(`${plural(generation.images.length, "image")} completed.`)
}

/** Follows a stream of events to its end. Returns whether the generation has ended. */
const follow = async (generation, response) => {
  for await (const event of eventsOf(response)) {
    switch (event.type) {
      case "arta.progress":
        change(generation, {
          recordId: event.record_id,
          status: event.status,
          request: { ...generation.request, ...event.request }
        })
        break
      case "image_generation.completed":
        addImage(generation, event.index, event.b64_json, event.output_format)
        change(generation, { recordId: event.record_id, missing: event.missing ?? 0 })
        break
      case "error":
        generation.recordId ??= event.error?.record_id
        fail(generation, event.error?.message ?? "The generation failed.")
        return
    }
  }
  if (generation.images?.length > 0) complete(generation)
}

/** Follows a generation by its record id until it ends, however often the connection is lost. */
const resume = async (generation) => {
  for (let attempt = 0; !isEnded(generation); attempt += 1) {
    if (attempt > 0) await pause(Math.min(1_000 * 2 ** (attempt - 1), 15_000))
    try {
      await follow(generation, await call(`${addressOfRecord(generation.recordId)}?stream=true`))
    } catch (error) {
      if (error instanceof Refusal && error.status !== 429) return fail(generation, error.message)
      change(generation, { status: "disconnected" })
    }
  }
}

const isSame = ({ createdAt, request }, other) =>
  other.request !== undefined &&
  other.request.seed === request.seed &&
  other.request.prompt === request.prompt &&
  other.created * 1_000 >= createdAt - 60_000

const searches = 20

/** Looks for a generation whose response was lost among those of the server. */
const search = async (generation) => {
  for (let attempt = 0; attempt < searches; attempt += 1) {
    change(generation, { status: "searching" })
    try {
      const { data } = await getJson(endpoint)
      const found = data.find((other) => isSame(generation, other))
      if (found !== undefined) {
        change(generation, { recordId: found.record_id, status: "queued" })
        return resume(generation)
      }
    } catch {
      // The server may come back.
    }
    await pause(2_000)
  }
  fail(
    generation,
    "The connection was lost before the service accepted the generation. It may or may not have been accepted, and paid for.",
    "unknown"
  )
}

const submit = async (generation) => {
  const body = JSON.stringify({ ...generation.request, stream: true, progress: true })
  try {
    const response = await call(endpoint, {
      method: "POST",
      body,
      // Even if the user sends it again, the server submits it once.
      headers: { "content-type": "application/json", "idempotency-key": generation.id }
    })
    await follow(generation, response)
  } catch (error) {
    if (error instanceof Refusal) {
      generation.recordId ??= error.recordId
      return fail(generation, error.message)
    }
  }
  if (isEnded(generation)) return
  return generation.recordId === undefined ? search(generation) : resume(generation)
}

const start = (request) => {
  const generation = { id: randomId(), createdAt: Date.now(), request, status: "sending" }
  generations = [generation, ...generations]
  saveHistory()
  showGeneration(generation)
  announce("Sent.")
  void submit(generation)
  return generation
}

/** Loads the images of a generation that completed before the page was loaded. */
const loadImages = async (generation) => {
  if (generation.images !== undefined || generation.isLoading) return
  generation.isLoading = true
  try {
    const { data = [], error, missing = 0, output_format } = await getJson(addressOfRecord(generation.recordId))
    if (error !== undefined) return fail(generation, error.message)
    data.forEach(({ b64_json }, index) => addImage(generation, index, b64_json, output_format))
    change(generation, { missing, error: undefined })
  } catch (error) {
    generation.error = error instanceof Refusal ? error.message : "The server does not respond."
    showGeneration(generation)
  } finally {
    generation.isLoading = false
  }
}

const forget = (generation) => {
  for (const { url } of generation.images ?? []) URL.revokeObjectURL(url)
  removed.add(generation.id)
  generations = generations.filter((other) => other !== generation)
  saveHistory()
}
