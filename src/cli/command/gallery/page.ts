import { htmlEscape } from "escape-goat"
import type { Template } from "../../shared/page/page.js"
import * as Page from "../../shared/page/page.js"
import type { Contents, GalleryImage, GalleryRequest } from "./contents.js"

// Encode the name as one path segment: "#", "?", "%" and ":" have no special meaning in a file name.
const addressOf = ({ file }: GalleryImage): string => encodeURIComponent(file)

const titleOf = ({ prompt = "" }: GalleryRequest, { file }: GalleryImage): string =>
  prompt.trim() === "" ? file : prompt

const factsOf = ({ emulated = false, model, seed }: GalleryRequest): ReadonlyArray<string> => [
  ...(model === undefined ? [] : [htmlEscape`<dt class="unseen">Model</dt><dd><bdi>${model}</bdi></dd>`]),
  ...(seed === undefined ? [] : [htmlEscape`<dt>Seed</dt> <dd>${seed}</dd>`]),
  ...(emulated ? [htmlEscape`<dt class="unseen">Service</dt><dd>Emulated</dd>`] : [])
]

/** An image for a browser that runs no scripts. The script draws the same from the data. */
const itemOf = (request: GalleryRequest, image: GalleryImage): string => {
  const address = addressOf(image)
  const title = titleOf(request, image)
  const facts = [
    ...factsOf(request),
    htmlEscape`<dt class="unseen">Size</dt><dd>${image.width} × ${image.height}</dd>`
  ].map((fact) => `<div>${fact}</div>`)
  const thumbnail = htmlEscape`<img src="${address}" width="${image.width}" height="${image.height}" alt="${title.replace(/\s+/g, " ").trim()}" loading="lazy" decoding="async" />`
  return [
    htmlEscape`<li><figure><div class="tiles"><a class="thumbnail" href="${address}">` + thumbnail + "</a></div>",
    htmlEscape`<figcaption><p class="prompt" dir="auto">${title}</p>`,
    `<dl>${facts.join("")}</dl></figcaption></figure></li>`
  ].join("")
}

const countOf = (count: number): string =>
  count === 0 ? "" : count === 1 ? "1 image" : `${count.toLocaleString("en")} images`

const gridOf = (requests: ReadonlyArray<GalleryRequest>): string =>
  requests.length === 0
    ? `<p class="notice">There are no images in this directory yet.</p>`
    : `<ul class="grid" role="list">\n${requests
        .flatMap((request) => request.images.map((image) => itemOf(request, image)))
        .join("\n")}\n</ul>`

/** Allows images and, if the page is served, its server. */
const policyOf = (template: Template, isLive: boolean): string =>
  Page.policyOf(template, [
    // `'self'` does not contain the files beside a page from the disk in every browser.
    "img-src 'self' file: data:",
    ...(isLive ? ["connect-src 'self'"] : [])
  ])

/**
 * Fills the template with the contents of a gallery. Escapes every text. A version makes the page follow the directory:
 * see `serve.ts`.
 */
export const pageOf = (template: Template, contents: Contents, version?: string): string =>
  Page.fill(template, {
    policy: policyOf(template, version !== undefined),
    count: countOf(contents.requests.reduce((sum, { images }) => sum + images.length, 0)),
    data: Page.dataElement({ ...contents, version }),
    images: `<noscript>${gridOf(contents.requests)}</noscript>`
  })
