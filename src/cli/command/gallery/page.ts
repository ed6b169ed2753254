import { htmlEscape } from "escape-goat"

/** A picture as the gallery shows it: its file, its size in pixels, and what is known of how it was drawn. */
export interface Picture {
  readonly file: string
  readonly width: number
  readonly height: number
  readonly prompt?: string | undefined
  readonly model?: string | undefined
  readonly seed?: number | undefined
}

// The name is encoded as one segment of a path: in a file's name, "#", "?", "%" and ":" mean nothing.
const addressOf = ({ file }: Picture): string => encodeURIComponent(file)

const titleOf = ({ file, prompt = "" }: Picture): string => (prompt.trim() === "" ? file : prompt)

const factsOf = ({ height, model, seed, width }: Picture): ReadonlyArray<string> => [
  ...(model === undefined ? [] : [htmlEscape`<dt class="unseen">Model</dt><dd><bdi>${model}</bdi></dd>`]),
  ...(seed === undefined ? [] : [htmlEscape`<dt>Seed</dt> <dd>${seed}</dd>`]),
  htmlEscape`<dt class="unseen">Size</dt><dd class="size">${width} × ${height}</dd>`
]

const itemOf = (picture: Picture): string => {
  const address = addressOf(picture)
  const title = titleOf(picture)
  const facts = factsOf(picture).map((fact) => `<div>${fact}</div>`)
  const file = htmlEscape`<div class="file"><dt class="unseen">File</dt><dd><a href="${address}"><bdi>${picture.file}</bdi></a></dd></div>`
  const image = htmlEscape`<img src="${address}" width="${picture.width}" height="${picture.height}" alt="${title.replace(/\s+/g, " ").trim()}" loading="lazy" decoding="async" />`
  return [
    "<li><figure>",
    htmlEscape`<a class="thumbnail" href="${address}">` + image + "</a>",
    htmlEscape`<figcaption><p class="prompt" dir="auto">${title}</p>`,
    `<dl>${[...facts, file].join("")}</dl></figcaption>`,
    "</figure></li>"
  ].join("\n")
}

const countOf = (pictures: ReadonlyArray<Picture>): string =>
  pictures.length === 1 ? "1 picture" : `${String(pictures.length)} pictures`

const gridOf = (pictures: ReadonlyArray<Picture>): string =>
  pictures.length === 0
    ? `<p class="notice">There are no pictures in this folder yet.</p>`
    : `<ul class="grid" role="list">\n${pictures.map(itemOf).join("\n")}\n</ul>`

/** The template with the pictures in the places that it keeps for them, all texts made inert. */
export const pageOf = (template: string, pictures: ReadonlyArray<Picture>): string =>
  // In one pass and by functions, so that neither `$&` nor the name of a place means anything within a prompt.
  template.replace(/<!-- (count|pictures) -->/g, (_, place) =>
    place === "count" ? (pictures.length === 0 ? "" : countOf(pictures)) : gridOf(pictures)
  )
