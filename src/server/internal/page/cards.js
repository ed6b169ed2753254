// A card for each generation: its images or its progress, its parameters, and what can be done with it.

const cards = find("#cards")
/** The element of each generation by its id. */
const elements = new Map()

const slug = (text) =>
  text
    .normalize("NFC")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 60)

const fileNameOf = ({ format, generation, index }) =>
  `${slug(generation.request.prompt) || "image"}-${generation.request.seed}-${index}.${format === "jpeg" ? "jpg" : format}`

const secondsSince = ({ createdAt }) => Math.max(0, Math.round((Date.now() - createdAt) / 1_000))

const durationOf = (seconds) =>
  seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, "0")} s`

const statusTexts = {
  sending: "Sending",
  queued: "In the queue",
  in_progress: "Generating",
  disconnected: "Connection lost, trying again",
  searching: "Looking for it on the server"
}

const statusOf = ({ error, images, status }) =>
  status === "completed" && images === undefined && error === undefined ? "Loading" : (statusTexts[status] ?? "")

const ratioOf = ({ request: { aspect_ratio: ratio = "1:1" } }) => {
  const [width = 1, height = 1] = ratio.split(":").map(Number)
  return width / height
}

const svgElement = (name, attributes) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name)
  for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, value)
  return element
}

/** An outline in the shape of the image to come. */
const outlineOf = (ratio) => {
  const width = 44 * Math.min(1, ratio)
  const height = 44 * Math.min(1, 1 / ratio)
  const svg = svgElement("svg", { viewBox: "0 0 48 48", "aria-hidden": "true" })
  svg.append(svgElement("rect", { x: 24 - width / 2, y: 24 - height / 2, width, height, rx: 3 }))
  return svg
}

/** Arranges the tiles so that they fill a shape that is as square as possible. */
const arrange = (element, count, ratio) => {
  const shapeOf = (columns) => (columns * ratio) / Math.ceil(count / columns)
  const columns = Array.from({ length: Math.max(1, count) }, (_, index) => index + 1).reduce((best, next) =>
    Math.abs(Math.log(shapeOf(next))) < Math.abs(Math.log(shapeOf(best))) ? next : best
  )
  element.style.setProperty("--tiles", String(columns))
  element.style.setProperty("--shape", String(Math.min(16 / 9, Math.max(4 / 5, shapeOf(columns)))))
  element.hidden = count === 0
  return element
}

const typeOf = ({ format }) => `image/${format}`

const tileOf = (image) => {
  const { prompt } = image.generation.request
  const name = fileNameOf(image)
  const link = create(
    "a",
    { class: "thumbnail", href: image.url, download: name, "aria-haspopup": "dialog", draggable: "true" },
    create("img", { src: image.url, alt: prompt.replace(/\s+/g, " ").trim(), decoding: "async", draggable: "false" })
  )
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    openViewer(image)
  })
  link.addEventListener("dragstart", ({ dataTransfer }) => {
    // Chromium saves the file where it is dropped. Other browsers take the link.
    dataTransfer.setData("DownloadURL", `${typeOf(image)}:${name}:${image.url}`)
    dataTransfer.effectAllowed = "copy"
  })
  return create("div", { class: "tile" }, link)
}

const placeholderOf = (generation) => create("div", { class: "tile placeholder" }, outlineOf(ratioOf(generation)))

/** How many tiles a card has: one for each image that came or is to come. */
const tilesOf = (generation) => {
  const images = generation.images ?? []
  const isWaiting = !isEnded(generation) || (generation.status === "completed" && images.length === 0)
  const waiting = isWaiting ? Math.max(0, (generation.request.n ?? 1) - images.length) : 0
  return [...images.map(tileOf), ...Array.from({ length: waiting }, () => placeholderOf(generation))]
}

const factOf = (term, value, isUnseen) =>
  create(
    "div",
    {},
    create("dt", isUnseen ? { class: "unseen" } : {}, term),
    isUnseen ? "" : " ",
    create("dd", {}, value)
  )

const factsOf = ({ missing = 0, request }) => [
  ...(request.model ? [factOf("Model", request.model, true)] : []),
  factOf("Seed", String(request.seed)),
  factOf("Aspect ratio", request.aspect_ratio ?? "1:1", true),
  ...(missing > 0 ? [factOf("Missing", plural(missing, "image"))] : [])
]

const actionsOf = (generation) => {
  const { prompt } = generation.request
  const named = (label) => ({ "aria-label": `${label}: ${prompt.slice(0, 80)}` })
  const actions = []
  if (generation.status === "unknown") {
    actions.push(
      button("Look again", () => void search(generation), named("Look again")),
      button("Send again", () => sendAgain(generation), named("Send again"))
    )
  } else if (generation.recordId !== undefined && generation.error !== undefined) {
    actions.push(button("Check again", () => checkAgain(generation), named("Check again")))
  }
  if (isEnded(generation)) {
    actions.push(
      button("Again", () => again(generation), {
        ...named("Again, with a new seed"),
        title: "The same, with a new seed"
      }),
      button("Vary", () => vary(generation), { ...named("Vary"), title: "Change the parameters" }),
      button("Remove", () => remove(generation), {
        ...named("Remove"),
        class: "quiet",
        title: "Remove it from this list"
      })
    )
  }
  return actions
}

const drawCard = (generation, element) => {
  const tiles = tilesOf(generation)
  const { error, request } = generation
  const status = statusOf(generation)
  const progress = create(
    "p",
    { class: "progress" },
    create("span", { class: "label" }, status),
    ...(isEnded(generation) ? [] : [" ", create("span", { class: "time" }, durationOf(secondsSince(generation)))])
  )
  element.dataset.status = generation.status
  element.replaceChildren(
    create(
      "figure",
      {},
      arrange(create("div", { class: "tiles" }, ...tiles), tiles.length, ratioOf(generation)),
      ...(status === "" ? [] : [progress]),
      create(
        "figcaption",
        {},
        create("p", { class: "prompt", dir: "auto" }, request.prompt),
        create("dl", {}, ...factsOf(generation)),
        ...(error === undefined ? [] : [create("p", { class: "problem" }, error)])
      )
    ),
    create("div", { class: "actions" }, ...actionsOf(generation))
  )
}

// The images of earlier generations are loaded once their card comes into view.
const inView = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      const generation = generations.find(({ id }) => id === target.dataset.id)
      if (!isIntersecting || generation?.status !== "completed") continue
      inView.unobserve(target)
      void loadImages(generation)
    }
  },
  { rootMargin: "300px" }
)

const showCount = () => {
  const count = generations.reduce((sum, { images = [] }) => sum + images.length, 0)
  find(".count").textContent = count === 0 ? "" : plural(count, "image")
  find("#empty").hidden = generations.length > 0
}

/** Returns how to restore the focus in a card that is drawn again. */
const focusIn = (element) => {
  const index = [...element.querySelectorAll("a, button")].indexOf(document.activeElement)
  return () => {
    if (index === -1) return
    const all = element.querySelectorAll("a, button")
    ;(all[index] ?? all[0])?.focus()
  }
}

/** Draws the card of a generation again, or its first one, at its place in the list. */
const showGeneration = (generation) => {
  let element = elements.get(generation.id)
  if (element === undefined) {
    element = create("li", { class: "card", "data-id": generation.id })
    elements.set(generation.id, element)
    const next = generations[generations.indexOf(generation) + 1]
    cards.insertBefore(element, elements.get(next?.id) ?? null)
    if (generation.status === "completed" && generation.images === undefined) inView.observe(element)
  }
  const restoreFocus = focusIn(element)
  drawCard(generation, element)
  restoreFocus()
  showCount()
}

/** Counts the seconds of what is under way. */
setInterval(() => {
  for (const generation of generations) {
    if (isEnded(generation)) continue
    const time = find(".time", elements.get(generation.id))
    if (time !== null) time.textContent = durationOf(secondsSince(generation))
  }
}, 1_000)

const again = ({ request }) => {
  start({ ...request, seed: randomSeed() })
  cards.firstElementChild?.scrollIntoView({ block: "nearest" })
}

const vary = ({ request }) => {
  fillForm(request)
  find("#prompt").focus()
  find("#form").scrollIntoView({ block: "nearest" })
}

const checkAgain = (generation) => {
  change(generation, { status: "queued", error: undefined, images: generation.images })
  void resume(generation)
}

const sendAgain = (generation) => {
  change(generation, { status: "sending", error: undefined, createdAt: Date.now() })
  void submit(generation)
}

const remove = (generation) => {
  const element = elements.get(generation.id)
  const neighbor = element.nextElementSibling ?? element.previousElementSibling
  forget(generation)
  elements.delete(generation.id)
  element.remove()
  showCount()
  announce("Removed.")
  ;(neighbor?.querySelector("a, button") ?? find("#prompt")).focus()
}
