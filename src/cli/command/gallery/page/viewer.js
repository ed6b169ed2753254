// The full-size view. The fragment of the URL names its image, so a link to one image works, and Back closes the view.

const viewer = find("dialog")
const stage = find(".stage", viewer)
const frame = find(".frame", viewer)
const panel = find(".panel", viewer)
const copied = find(".copy p", viewer)
const zoomButton = find(".zoom", viewer)
const markButton = find(".tools .mark", viewer)

/** The file name of the image in the view. */
let shownFile

const fileInUrl = () => {
  try {
    return decodeURIComponent(location.hash.slice(1))
  } catch {
    return ""
  }
}

const dateOf = ({ date }) => new Date(date).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" })

const linkTo = (image) => create("a", { href: addressOf(image), target: "_blank" }, create("bdi", {}, image.file))

const allFactsOf = (image) => {
  const { request } = image
  const among = request.images
  return [
    ["Negative prompt", request.negative],
    ["Model", request.model],
    ["Seed", request.seed],
    ["Steps", request.steps],
    ["Guidance", request.guidance],
    ["Aspect ratio", request.aspect],
    ["Size", sizeOf(image)],
    ["Image", among.length > 1 ? `${among.indexOf(image) + 1} of ${among.length}` : undefined],
    ["Date", dateOf(image)],
    ["File", linkTo(image)]
  ].filter(([, value]) => value !== undefined && value !== "")
}

const zoom = (isZoomed) => {
  stage.classList.toggle("zoomed", isZoomed)
  zoomButton.setAttribute("aria-pressed", String(isZoomed))
  // A region that scrolls must be reachable by keyboard.
  if (isZoomed) frame.setAttribute("tabindex", "0")
  else frame.removeAttribute("tabindex")
}

const preload = (image) => {
  if (image !== undefined) new Image().src = addressOf(image)
}

const show = (image) => {
  const { request } = image
  shownFile = image.file
  const place = shownImages.indexOf(image)
  // Use a new element: the old image would stay above the new facts until the new image loads.
  find("img", frame).replaceWith(
    create("img", {
      src: addressOf(image),
      width: image.width,
      height: image.height,
      alt: titleOf(image).replace(/\s+/g, " ").trim()
    })
  )
  find(".prompt", panel).textContent = titleOf(image)
  find("dl", panel).replaceChildren(
    ...(request.emulated
      ? [
          create(
            "div",
            {},
            create("dt", {}, "Service"),
            create("dd", {}, create("span", { class: "badge" }, "Emulated"))
          )
        ]
      : []),
    ...allFactsOf(image).map(([name, value]) =>
      create(
        "div",
        {},
        create("dt", {}, name),
        create("dd", {}, value instanceof Node ? value : create("bdi", {}, value))
      )
    )
  )
  panel.scrollTop = 0
  copied.textContent = ""
  for (const button of panel.querySelectorAll("[data-copy]")) button.hidden = request[button.dataset.copy] === undefined
  showMark(markButton, image.file)
  find(".place", viewer).textContent =
    place < 0 ? "" : `${(place + 1).toLocaleString("en")} of ${shownImages.length.toLocaleString("en")}`
  for (const button of viewer.querySelectorAll(".step")) button.hidden = shownImages.length < 2
}

const urlOf = (file) => `#${encodeURIComponent(file)}`

let pendingUrl
/** Browsers limit how often a page changes its URL, so wait until the reader stays at an image. */
const replaceUrl = () => {
  clearTimeout(pendingUrl)
  pendingUrl = setTimeout(() => {
    if (viewer.open) history.replaceState(history.state, "", urlOf(shownFile))
  }, 200)
}

const step = (by) => {
  if (shownImages.length === 0) return
  const place = shownImages.findIndex(({ file }) => file === shownFile)
  const next = (place + by + shownImages.length) % shownImages.length
  show(shownImages[next])
  preload(shownImages[(next + by + shownImages.length) % shownImages.length])
  replaceUrl()
}

/** Opens or closes the view as the URL says: after Back, Forward, or a link. */
const followUrl = () => {
  const image = images.get(fileInUrl())
  if (image === undefined) {
    viewer.close()
    return
  }
  show(image)
  if (!viewer.open) viewer.showModal()
}

grid.addEventListener("click", (event) => {
  const mark = event.target.closest(".mark")
  if (mark !== null) {
    toggleMark(find(".thumbnail", mark.parentElement).dataset.file)
    showMarks()
    return
  }
  const link = event.target.closest(".thumbnail")
  // With a modifier key, the browser opens the link in a new tab or window, or saves it.
  if (link === null || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return
  event.preventDefault()
  history.pushState({ isViewer: true }, "", urlOf(link.dataset.file))
  followUrl()
})

viewer.addEventListener("close", () => {
  clearTimeout(pendingUrl)
  zoom(false)
  focusImage(shownFile)
  if (location.hash === "") return
  if (history.state?.isViewer) history.back()
  else history.replaceState(null, "", location.pathname + location.search)
})
addEventListener("popstate", followUrl)

const toggleShownMark = () => {
  toggleMark(shownFile)
  showMark(markButton, shownFile)
  showMarks()
}

viewer.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return
  if (event.key === "m") toggleShownMark()
  // In the zoomed image, the arrow keys scroll.
  if (document.activeElement === frame) return
  if (event.key === "ArrowLeft") step(-1)
  if (event.key === "ArrowRight") step(1)
})

const zoomAt = ({ clientX, clientY }) => {
  const box = find("img", frame).getBoundingClientRect()
  const [x, y] = [(clientX - box.x) / box.width, (clientY - box.y) / box.height]
  zoom(!stage.classList.contains("zoomed"))
  frame.scrollTo(x * frame.scrollWidth - frame.clientWidth / 2, y * frame.scrollHeight - frame.clientHeight / 2)
}

stage.addEventListener("click", (event) => {
  if (event.target.closest("button")) return
  if (event.target.closest("img")) zoomAt(event)
  else if (getSelection().isCollapsed) viewer.close()
})

let touchStart
stage.addEventListener(
  "touchstart",
  ({ touches }) => {
    const isSwipe = touches.length === 1 && !stage.classList.contains("zoomed") && (visualViewport?.scale ?? 1) < 1.05
    touchStart = isSwipe ? { x: touches[0].clientX, y: touches[0].clientY } : undefined
  },
  { passive: true }
)
stage.addEventListener("touchend", ({ changedTouches: [touch] }) => {
  if (touchStart === undefined) return
  const [x, y] = [touch.clientX - touchStart.x, touch.clientY - touchStart.y]
  touchStart = undefined
  if (Math.abs(x) > 40 && Math.abs(x) > 2 * Math.abs(y)) step(x < 0 ? 1 : -1)
})

find(".close", viewer).addEventListener("click", () => viewer.close())
find(".previous", viewer).addEventListener("click", () => step(-1))
find(".next", viewer).addEventListener("click", () => step(1))
zoomButton.addEventListener("click", () => zoom(!stage.classList.contains("zoomed")))
markButton.addEventListener("click", toggleShownMark)

const copyText = async (text) => {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    // Without permission for the clipboard, copy a selection.
    const area = create("textarea", { class: "unseen", readonly: "" })
    area.value = text
    viewer.append(area)
    area.select()
    const isCopied = document.execCommand("copy")
    area.remove()
    return isCopied
  }
}

find(".copy", viewer).addEventListener("click", async ({ target }) => {
  const { copy } = target.dataset
  if (copy === undefined) return
  const isCopied = await copyText(String(images.get(shownFile)?.request[copy] ?? ""))
  target.focus()
  copied.textContent = isCopied ? `Copied the ${copy}.` : "The browser does not allow copying."
})

if (location.hash !== "") followUrl()
