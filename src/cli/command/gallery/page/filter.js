// Which images are shown, and in which order.

const field = find("#filter")
const sortField = find("#sort")
const chips = find(".chips")
const nothing = find("#nothing")

const byName = new Intl.Collator("en", { numeric: true })
const newestOf = ({ images }) => Math.max(...images.map(({ date }) => date))
const last = Number.MAX_SAFE_INTEGER

const comparators = {
  // Images that no request is known for come last.
  order: (a, b) => (a.position ?? last) - (b.position ?? last) || byName.compare(a.id, b.id),
  newest: (a, b) => newestOf(b) - newestOf(a),
  oldest: (a, b) => newestOf(a) - newestOf(b),
  prompt: (a, b) => byName.compare(a.prompt ?? a.id, b.prompt ?? b.id),
  model: (a, b) => byName.compare(a.model ?? "\uffff", b.model ?? "\uffff"),
  seed: (a, b) => (a.seed ?? last) - (b.seed ?? last)
}

/** The requests in the chosen order. */
let ordered = []
/** What is shown: each request with those of its images that match. */
let cards = []
/** The images of the cards. */
let shownImages = []

const chosenModels = new Set()
let onlyMarked = false

// "cafe" must match "Café".
const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase()

const textOfRequest = (request) => (request.text ??= plain([request.prompt, request.model, request.seed].join("\n")))
const textOfImage = (image) => (image.text ??= plain(image.file))

const matching = (request, words) => {
  if (chosenModels.size > 0 && !chosenModels.has(request.model)) return []
  const left = words.filter((word) => !textOfRequest(request).includes(word))
  if (left.length === 0 && !onlyMarked) return request.images
  return request.images.filter(
    (image) => (!onlyMarked || marks.has(image.file)) && left.every((word) => textOfImage(image).includes(word))
  )
}

const isFiltered = () => field.value.trim() !== "" || chosenModels.size > 0 || onlyMarked

const filter = () => {
  const words = plain(field.value).split(/\s+/)
  cards = []
  for (const request of ordered) {
    const found = matching(request, words)
    if (found.length > 0) cards.push({ request, images: found })
  }
  shownImages = cards.flatMap((card) => card.images)
  const all = imageCount(images.size)
  find(".count").textContent =
    images.size === 0
      ? ""
      : shownImages.length === images.size
        ? all
        : `${shownImages.length.toLocaleString("en")} of ${all}`
  find("bdi", nothing).textContent = field.value.trim()
  find("span", nothing).hidden = field.value.trim() === ""
  nothing.hidden = images.size === 0 || shownImages.length > 0
}

const sort = () => {
  ordered = [...requests.values()].sort(comparators[sortField.value])
}

const chip = (label, count, isPressed, name) =>
  create(
    "li",
    {},
    create(
      "button",
      { type: "button", "aria-pressed": String(isPressed), ...name },
      label,
      " ",
      create("span", {}, count)
    )
  )

/** Shows a button for each model, and one for the marked images. */
const showChips = () => {
  const counts = new Map()
  for (const { images, model } of requests.values())
    if (model !== undefined) counts.set(model, (counts.get(model) ?? 0) + images.length)
  for (const model of chosenModels) if (!counts.has(model)) chosenModels.delete(model)
  const marked = [...marks].filter((file) => images.has(file)).length
  if (marked === 0) onlyMarked = false
  const models = counts.size < 2 ? [] : [...counts].sort(([a], [b]) => byName.compare(a, b))
  const focused = chips.contains(document.activeElement) ? document.activeElement.dataset : undefined
  chips.replaceChildren(
    ...(marked === 0 ? [] : [chip("Marked", marked, onlyMarked, { "data-marked": "" })]),
    ...models.map(([model, count]) => chip(model, count, chosenModels.has(model), { "data-model": model }))
  )
  chips.hidden = chips.childElementCount === 0
  if (focused === undefined) return
  for (const button of chips.querySelectorAll("button"))
    if (button.dataset.model === focused.model && button.dataset.marked === focused.marked) button.focus()
}
