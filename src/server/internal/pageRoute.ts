import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { createHash } from "node:crypto"
import { template } from "./page/template.js"

const hashOf = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`

const policy = [
  "default-src 'none'",
  `style-src ${hashOf(template.style)}`,
  `script-src ${hashOf(template.script)}`,
  // The page makes the URLs of its images from the responses of the endpoint.
  "img-src blob: data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'"
].join("; ")

const parts: Readonly<Record<string, string>> = {
  style: `<style>${template.style}</style>`,
  script: `<script type="module">${template.script}</script>`
}

const html = template.html.replace(/<!-- (style|script) -->/g, (comment, name: string) => parts[name] ?? comment)

/**
 * The page. It is the same for everybody and has no key in it: the user pastes the key, or opens a link with the key in
 * its fragment. A cookie would be sent to every other server on this machine, whatever its port.
 */
export const pageRoute = HttpServerResponse.html(html).pipe(
  HttpServerResponse.setHeaders({
    "cache-control": "no-store",
    "content-security-policy": policy,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff"
  })
)
