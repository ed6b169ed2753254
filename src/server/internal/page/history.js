// The generations of this page. They outlast a reload: the browser keeps their parameters and record ids, and the service
// keeps their images.

const historyName = "effect-arta.generations"
const mostKept = 100

const readHistory = () => {
  try {
    const saved = JSON.parse(localStorage.getItem(historyName) ?? "[]")
    return Array.isArray(saved) ? saved.filter(({ id, request }) => id && request) : []
  } catch {
    return []
  }
}

/** Newest first. */
let generations = readHistory()

/** The ids of the generations that the user removed here. */
const removed = new Set()

/** Another tab may have added generations meanwhile. */
const ofOtherTabs = () =>
  readHistory().filter(({ id }) => !removed.has(id) && !generations.some((generation) => generation.id === id))

const saveHistory = () => {
  const kept = [...generations, ...ofOtherTabs()]
    .sort((one, other) => other.createdAt - one.createdAt)
    .slice(0, mostKept)
    .map(({ createdAt, error, id, missing, recordId, request, status }) => ({
      id,
      createdAt,
      recordId,
      request,
      status,
      error,
      missing
    }))
  try {
    localStorage.setItem(historyName, JSON.stringify(kept))
  } catch {
    // A full or forbidden storage costs the history, and nothing else.
  }
}

const isEnded = ({ status }) => ["completed", "failed", "unknown"].includes(status)

const randomId = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("")

/** The seed is chosen here, so that a generation whose response was lost can be recognized. */
const randomSeed = () => 9_999 + (crypto.getRandomValues(new Uint32Array(1))[0] % 99_990_000)
