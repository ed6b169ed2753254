import { htmlEscape } from "escape-goat"

/** An image as the gallery shows it: its file, its size in pixels, and its request as far as the journal has it. */
export interface GalleryImage {
  readonly file: string
  readonly width: number
  readonly height: number
  readonly prompt?: string | undefined
  readonly model?: string | undefined
  readonly seed?: number | undefined
}

// The name is encoded as one segment of a path: in a file's name, "#", "?", "%" and ":" mean nothing.
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

/** The template with the images in the places that it keeps for them, all texts made inert. */
export const pageOf = (template: string, images: ReadonlyArray<GalleryImage>): string =>
  // In one pass and by functions, so that neither `$&` nor the name of a place means anything within a prompt.
  template.replace(/<!-- (count|images) -->/g, (_, place) =>
    place === "count" ? (images.length === 0 ? "" : countOf(images)) : gridOf(images)
  )
