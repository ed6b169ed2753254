// The full-size view of an image, with its parameters.

const viewer = find("#viewer")
/** The image in the view. */
let shown

const allImages = () => generations.flatMap(({ images = [] }) => images)

const parametersOf = ({ generation: { recordId, request }, index }) => [
  ["What to avoid", request.negative_prompt],
  ["Model", request.model],
  ["Seed", request.seed],
  ["Steps", request.steps],
  ["Guidance", request.guidance_scale],
  ["Aspect ratio", request.aspect_ratio],
  ["Image", request.n > 1 ? `${index + 1} of ${request.n}` : undefined],
  ["Record id", recordId]
]

const showImage = (image) => {
  shown = image
  const images = allImages()
  const place = images.indexOf(image)
  const { request } = image.generation
  const full = find("img", viewer)
  full.src = image.url
  full.alt = request.prompt
  const download = find("[data-action=download]", viewer)
  download.href = image.url
  download.download = fileNameOf(image)
  find(".place", viewer).textContent = `${place + 1} of ${images.length}`
  find(".prompt", viewer).textContent = request.prompt
  find("dl", viewer).replaceChildren(
    ...parametersOf(image)
      .filter(([, value]) => value !== undefined && value !== "")
      .map(([term, value]) => create("div", {}, create("dt", {}, term), create("dd", {}, String(value))))
  )
  find(".previous", viewer).disabled = place <= 0
  find(".next", viewer).disabled = place >= images.length - 1
}

const step = (by) => {
  const images = allImages()
  const next = images[images.indexOf(shown) + by]
  if (next !== undefined) showImage(next)
}

const openViewer = (image) => {
  showImage(image)
  viewer.showModal()
}

find("[data-action=close]", viewer).addEventListener("click", () => viewer.close())
find(".previous", viewer).addEventListener("click", () => step(-1))
find(".next", viewer).addEventListener("click", () => step(1))
viewer.addEventListener("keydown", ({ key }) => {
  if (key === "ArrowLeft") step(-1)
  if (key === "ArrowRight") step(1)
})
viewer.addEventListener("close", () => {
  const index = shown.generation.images.indexOf(shown)
  elements.get(shown.generation.id)?.querySelectorAll(".thumbnail")[index]?.focus()
})
