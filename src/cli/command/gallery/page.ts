import { htmlEscape } from "escape-goat"
import { createHash } from "node:crypto"
import type { Contents, GalleryImage, GalleryRequest } from "./contents.js"
import type { Template } from "./template.js"

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

const hashOf = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`

/** Allows only the style and script of the page, images, and, if it is served, its server. */
const policyOf = ({ script, style }: Template, isLive: boolean): string =>
  [
    "default-src 'none'",
    `style-src ${hashOf(style)}`,
    `script-src ${hashOf(script)}`,
    // `'self'` does not contain the files beside a page from the disk in every browser.
    "img-src 'self' file: data:",
    ...(isLive ? ["connect-src 'self'"] : []),
    "base-uri 'none'",
    "form-action 'none'"
  ].join("; ")

const dataStart = '<script type="application/json" id="data">'
const dataEnd = "</script>"

/** The data of a page that `pageOf` made. */
export const dataOf = (page: string): string => {
  const start = page.indexOf(dataStart) + dataStart.length
  return page.slice(start, page.indexOf(dataEnd, start))
}

/**
 * Fills the template with the contents of a gallery. Escapes every text. A version makes the page follow the directory:
 * see `serve.ts`.
 */
export const pageOf = (template: Template, contents: Contents, version?: string): string => {
  const parts = {
    policy: policyOf(template, version !== undefined),
    // The hashes in the policy are those of the whole elements' content.
    style: `<style>${template.style}</style>`,
    script: `<script>${template.script}</script>`,
    count: countOf(contents.requests.reduce((sum, { images }) => sum + images.length, 0)),
    // Neither "</script>" nor "<!--" may end the data early.
    data: `${dataStart}${JSON.stringify({ ...contents, version }).replaceAll("<", "\\u003c")}${dataEnd}`,
    images: `<noscript>${gridOf(contents.requests)}</noscript>`
  }
  const isPart = (name: string): name is keyof typeof parts => name in parts
  // One pass with a function, so that a prompt with `$&` or a placeholder in it stays text.
  return template.html.replace(/<!-- (\w+) -->/g, (comment, name: string) => (isPart(name) ? parts[name] : comment))
}
