// The grid. Only the cards in view are in the document, so 50,000 images cost no more than 50.

const grid = find("#grid")
/** How many rows above and below the view are in the document. */
const rowsBeyond = 2

const star = find("dialog .mark svg")

const tileOf = (image, more) => {
  const title = titleOf(image)
  const thumbnail = create("img", {
    src: addressOf(image),
    width: image.width,
    height: image.height,
    alt: title.replace(/\s+/g, " ").trim(),
    decoding: "async"
  })
  const link = create(
    "a",
    { class: "thumbnail", href: addressOf(image), "aria-haspopup": "dialog", "data-file": image.file },
    thumbnail
  )
  const mark = create(
    "button",
    { type: "button", class: "mark", "aria-label": `Mark ${image.file}` },
    star.cloneNode(true)
  )
  showMark(mark, image.file)
  return create(
    "div",
    { class: "tile" },
    link,
    ...(more > 0 ? [create("span", { class: "more" }, `+${more}`)] : [mark])
  )
}

const factOf = (name, isUnseen, value) =>
  create(
    "div",
    {},
    ...(isUnseen ? [create("dt", { class: "unseen" }, name)] : [create("dt", {}, name), " "]),
    create("dd", {}, create("bdi", {}, value))
  )

const factsOf = ({ images, request: { model, seed } }) => [
  ...(model === undefined ? [] : [factOf("Model", true, model)]),
  ...(seed === undefined ? [] : [factOf("Seed", false, seed)]),
  images.length === 1 ? factOf("Size", true, sizeOf(images[0])) : factOf("Images", true, imageCount(images.length))
]

/** The number of tiles in a card of some images: 1, 2, 4 or 9. */
const tileCount = (count) => (count < 3 ? count : count < 5 ? 4 : 9)

const cardOf = (card) => {
  const { images, request } = card
  const count = tileCount(images.length)
  const more = images.length > count ? images.length - count + 1 : 0
  return create(
    "li",
    {},
    create(
      "figure",
      {},
      create(
        "div",
        { class: "tiles", "data-count": count },
        ...images.slice(0, count).map((image, index) => tileOf(image, index === count - 1 ? more : 0))
      ),
      ...(request.emulated ? [create("span", { class: "badge" }, "Emulated")] : []),
      create(
        "figcaption",
        {},
        create("p", { class: "prompt", dir: "auto" }, titleOf(images[0])),
        create("dl", {}, ...factsOf(card))
      )
    )
  )
}

/** The elements in the document by the id of their request, with the images that they show. */
const elements = new Map()

const elementOf = ({ images, request }) => {
  const before = elements.get(request.id)
  const isSame =
    before?.images.length === images.length && images.every((image, index) => image === before.images[index])
  if (isSame) return before.element
  const element = cardOf({ images, request })
  before?.element.replaceWith(element)
  elements.set(request.id, { element, images })
  return element
}

/** The columns and the height of a row, from the style of the grid. The first cards are measured, so the height is a guess. */
let layout = { columns: 1, width: 0, columnGap: 0, height: 300, rowGap: 0 }

const measure = () => {
  const style = getComputedStyle(grid)
  const tracks = style.gridTemplateColumns.split(" ")
  const width = parseFloat(tracks[0])
  // Every card has the height of a square and of the caption, which is in `rem`.
  const caption = find("figcaption", grid)?.offsetHeight ?? 80
  layout = {
    columns: tracks.length,
    width,
    columnGap: parseFloat(style.columnGap),
    height: width + caption,
    rowGap: parseFloat(style.rowGap)
  }
}

const rowOf = (index) => Math.floor(index / layout.columns)
const topOf = (row) => row * (layout.height + layout.rowGap)

const place = (element, index) => {
  const { columnGap, columns, height, width } = layout
  Object.assign(element.style, {
    position: "absolute",
    top: `${topOf(rowOf(index))}px`,
    left: `${(index % columns) * (width + columnGap)}px`,
    width: `${width}px`,
    height: `${height}px`
  })
  element.setAttribute("aria-posinset", index + 1)
  element.setAttribute("aria-setsize", cards.length)
}

let isPrinting = false

const cardsInView = () => {
  if (isPrinting) return [0, cards.length]
  const step = layout.height + layout.rowGap
  const above = -grid.getBoundingClientRect().top
  const firstRow = Math.max(0, Math.floor(above / step) - rowsBeyond)
  const rows = Math.ceil(innerHeight / step) + 2 * rowsBeyond
  return [firstRow * layout.columns, (firstRow + rows + 1) * layout.columns]
}

// The card with the focus stays, so that the next Tab goes on from there.
const hasFocus = (id, element) =>
  element.contains(document.activeElement) && cards.some(({ request }) => request.id === id)

/** Puts the cards in view into the document, in their order, and removes the others. */
const render = () => {
  const [first, end] = cardsInView()
  const wanted = cards.slice(first, end)
  const kept = new Set(wanted.map(({ request }) => request.id))
  for (const [id, { element }] of elements) {
    if (kept.has(id) || hasFocus(id, element)) continue
    element.remove()
    elements.delete(id)
  }
  const inView = wanted.map(elementOf)
  let next = grid.firstElementChild
  inView.forEach((element, index) => {
    if (element === next) next = next.nextElementSibling
    else grid.insertBefore(element, next)
    if (isPrinting) element.removeAttribute("style")
    else place(element, first + index)
  })
}

const layOut = () => {
  // Without a card in the document, there is nothing to measure.
  if (grid.childElementCount === 0) render()
  measure()
  const rows = rowOf(cards.length - 1) + 1
  grid.style.height = isPrinting ? "" : `${Math.max(0, topOf(rows) - layout.rowGap)}px`
  render()
}

let isScheduled = false
addEventListener(
  "scroll",
  () => {
    if (isScheduled) return
    isScheduled = true
    requestAnimationFrame(() => {
      isScheduled = false
      render()
    })
  },
  { passive: true }
)
new ResizeObserver(layOut).observe(grid)

addEventListener("beforeprint", () => {
  isPrinting = true
  layOut()
})
addEventListener("afterprint", () => {
  isPrinting = false
  layOut()
})

const update = () => {
  filter()
  layOut()
}

const updateAll = () => {
  find("#empty").hidden = images.size > 0
  find(".sticky").hidden = images.size === 0
  sort()
  showChips()
  update()
}

const scrollUp = () => {
  const top = find(".sticky").offsetTop
  if (scrollY > top) scrollTo(0, top)
}

/** Scrolls to an image of the grid and focuses its link. */
const focusImage = (file) => {
  const index = cards.findIndex((card) => card.images.some((image) => image.file === file))
  if (index < 0) return
  const top = topOf(rowOf(index)) + grid.getBoundingClientRect().top
  if (top < find(".sticky").offsetHeight || top + layout.height > innerHeight)
    scrollBy(0, top - (innerHeight - layout.height) / 2)
  render()
  const { element } = elements.get(cards[index].request.id)
  const links = [...element.querySelectorAll(".thumbnail")]
  const link = links.find((candidate) => candidate.dataset.file === file) ?? links.at(-1)
  link.focus({ preventScroll: true })
}

const showMarks = () => {
  const wasFiltered = onlyMarked
  for (const tile of grid.querySelectorAll(".tile"))
    if (find(".mark", tile)) showMark(find(".mark", tile), find(".thumbnail", tile).dataset.file)
  showChips()
  if (wasFiltered) update()
}

find("form").addEventListener("submit", (event) => {
  event.preventDefault()
  if (shownImages.length > 0) focusImage(shownImages[0].file)
})
field.addEventListener("input", () => {
  scrollUp()
  update()
})
sortField.addEventListener("change", () => {
  sort()
  scrollUp()
  update()
})
chips.addEventListener("click", ({ target }) => {
  const button = target.closest("button")
  if (button === null) return
  const { marked, model } = button.dataset
  if (marked !== undefined) onlyMarked = !onlyMarked
  else if (!chosenModels.delete(model)) chosenModels.add(model)
  showChips()
  update()
})
find("button", nothing).addEventListener("click", () => {
  field.value = ""
  chosenModels.clear()
  onlyMarked = false
  showChips()
  update()
  field.focus()
})
addEventListener("storage", ({ key }) => {
  if (key !== marksKey) return
  marks = new Set(loadMarks())
  showMarks()
})

// Some browsers restore the text of the field after a reload.
updateAll()
