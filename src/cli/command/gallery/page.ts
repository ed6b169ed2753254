import { htmlEscape } from "escape-goat"

/** An image of the gallery. Width and height are in pixels. */
export interface GalleryImage {
  readonly file: string
  readonly width: number
  readonly height: number
  readonly prompt?: string | undefined
  readonly model?: string | undefined
  readonly seed?: number | undefined
}

// Encode the name as one path segment: "#", "?", "%" and ":" have no special meaning in a file name.
const addressOf = ({ file }: GalleryImage): string => encodeURIComponent(file)

const titleOf = ({ file, prompt = "" }: GalleryImage): string => (prompt.trim() === "" ? file : prompt)

const factsOf = ({ height, model, seed, width }: GalleryImage): ReadonlyArray<string> => [
  ...(model === undefined ? [] : [htmlEscape`<dt class="unseen">Model</dt><dd><bdi>${model}</bdi></dd>`]),
  ...(seed === undefined ? [] : [htmlEscape`<dt>Seed</dt> <dd>${seed}</dd>`]),
  htmlEscape`<dt class="unseen">Size</dt><dd class="size">${width} × ${height}</dd>`
]

const itemOf = (image: GalleryImage): string => {
  const address = addressOf(image)
  const title = titleOf(image)
  const facts = factsOf(image).map((fact) => `<div>${fact}</div>`)
  const file = htmlEscape`<div class="file"><dt class="unseen">File</dt><dd><a href="${address}"><bdi>${image.file}</bdi></a></dd></div>`
  const thumbnail = htmlEscape`<img src="${address}" width="${image.width}" height="${image.height}" alt="${title.replace(/\s+/g, " ").trim()}" loading="lazy" decoding="async" />`
  return [
    "<li><figure>",
    htmlEscape`<a class="thumbnail" href="${address}">` + thumbnail + "</a>",
    htmlEscape`<figcaption><p class="prompt" dir="auto">${title}</p>`,
    `<dl>${[...facts, file].join("")}</dl></figcaption>`,
    "</figure></li>"
  ].join("\n")
}

const countOf = (images: ReadonlyArray<GalleryImage>): string =>
  images.length === 1 ? "1 image" : `${String(images.length)} images`

const gridOf = (images: ReadonlyArray<GalleryImage>): string =>
  images.length === 0
    ? `<p class="notice">There are no images in this directory yet.</p>`
    : `<ul class="grid" role="list">\n${images.map(itemOf).join("\n")}\n</ul>`

/** Fills the template with the images. Escapes every text. */
export const pageOf = (template: string, images: ReadonlyArray<GalleryImage>): string =>
  // One pass with a function, so that a prompt with `$&` or a placeholder in it stays text.
  template.replace(/<!-- (count|images) -->/g, (_, place) =>
    place === "count" ? (images.length === 0 ? "" : countOf(images)) : gridOf(images)
  )
