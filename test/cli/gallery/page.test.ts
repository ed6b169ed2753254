import { describe, expect, it } from "@effect/vitest"
import { createHash } from "node:crypto"
import { pageOf } from "../../../src/cli/command/gallery/page.js"
import { dataOf } from "../../../src/cli/shared/page/page.js"

describe("The page", () => {
  const image = { file: "a b#1?50%&'.png", width: 512, height: 288, bytes: 9, date: 0 }
  const request = { id: "a", prompt: "p", model: "m", seed: 0, images: [image] }
  const plain = { html: "<!-- data --><!-- images -->", style: "", script: "" }
  const page = (changes: object, template = plain) =>
    pageOf(template, { id: "x", requests: [{ ...request, ...changes }] })

  it("escapes every text", () => {
    const text = `"'><script>&amp;</script> $& $' <!-- count -->`
    const inert = "&quot;&#39;&gt;&lt;script&gt;&amp;amp;&lt;/script&gt; $&amp; $&#39; &lt;!-- count --&gt;"
    const html = page({ prompt: text, model: text })
    expect(html).toContain(`alt="${inert}"`)
    expect(html).toContain(`<p class="prompt" dir="auto">${inert}</p>`)
    expect(html).toContain(`<bdi>${inert}</bdi>`)
    expect(JSON.parse(dataOf(html))).toMatchObject({ requests: [{ prompt: text }] })
    expect(html.replace(/<script type="application\/json"/, "")).not.toMatch(/<script|<!--/)
  })

  it("has an address of the file for any name", () => {
    const html = page({ images: [image, { ...image, file: "javascript:x.png" }] })
    expect(html).toContain(`href="a%20b%231%3F50%25%26&#39;.png"`)
    expect(html).toContain(`src="javascript%3Ax.png"`)
  })

  it("shows the known details, and the file name instead of a missing prompt", () => {
    const html = pageOf(plain, { id: "x", requests: [{ id: "/a", prompt: " \n", images: [image] }] })
    expect(html).toContain(`<p class="prompt" dir="auto">a b#1?50%&amp;&#39;.png</p>`)
    expect(html).toContain(`alt="a b#1?50%&amp;&#39;.png"`)
    expect(html).not.toMatch(/Model|Seed|undefined/)
    expect(page({})).toContain("<dt>Seed</dt> <dd>0</dd>")
    expect(page({}, { ...plain, html: "<!-- count -->" })).toBe("1 image")
  })

  it("is complete for a browser that runs no scripts", () => {
    const images = [image, { ...image, file: "b.png", width: 3, height: 4 }]
    const itemOf = (address: string, size: string, [width, height]: readonly [number, number]) =>
      `<li><figure><div class="tiles"><a class="thumbnail" href="${address}"><img src="${address}" width="${String(width)}" height="${String(height)}" alt="a fox at night" loading="lazy" decoding="async" /></a></div>` +
      `<figcaption><p class="prompt" dir="auto"> a fox\n\n at night </p>` +
      `<dl><div><dt class="unseen">Model</dt><dd><bdi>m</bdi></dd></div><div><dt>Seed</dt> <dd>0</dd></div>` +
      `<div><dt class="unseen">Service</dt><dd>Emulated</dd></div><div><dt class="unseen">Size</dt><dd>${size}</dd></div></dl></figcaption></figure></li>`
    expect(
      page({ prompt: " a fox\n\n at night ", emulated: true, images }, { ...plain, html: "<!-- images -->" })
    ).toBe(
      `<noscript><ul class="grid" role="list">\n${itemOf("a%20b%231%3F50%25%26&#39;.png", "512 × 288", [512, 288])}\n${itemOf("b.png", "3 × 4", [3, 4])}\n</ul></noscript>`
    )
    const unknown = pageOf(plain, { id: "x", requests: [{ id: "/a", images: [image] }] })
    expect(unknown).toContain('<dl><div><dt class="unseen">Size</dt><dd>512 × 288</dd></div></dl>')
    expect(page({})).not.toContain("Emulated")
  })

  it.each([
    [0, ""],
    [1, "1 image"],
    [2, "2 images"],
    [1_234, "1,234 images"]
  ])("counts %d images", (count, text) => {
    const images = Array.from({ length: count }, () => image)
    expect(page({ images }, { ...plain, html: "<!-- count -->" })).toBe(text)
  })

  it("without images says so", () => {
    const html = pageOf({ ...plain, html: "<!-- images -->" }, { id: "x", requests: [] })
    expect(html).toBe('<noscript><p class="notice">There are no images in this directory yet.</p></noscript>')
  })

  it.each([
    [undefined, false],
    ["1", true]
  ])("may ask its server only if it is served: %s", (version, isLive) => {
    const html = pageOf({ html: "<!-- policy -->", style: "", script: "" }, { id: "x", requests: [] }, version)
    expect(html).toContain("img-src 'self' file: data:")
    expect(html.includes("connect-src 'self'")).toBe(isLive)
  })

  it("allows only its own script, its own style and images", () => {
    const script = "let x"
    const hash = createHash("sha256").update(script).digest("base64")
    const html = page({}, { html: "<!-- policy --> <!-- script -->", style: "", script })
    expect(html).toContain(`default-src 'none'`)
    expect(html).toContain(`script-src 'sha256-${hash}'`)
    expect(html).toContain(`<script>${script}</script>`)
    expect(html).not.toMatch(/unsafe|connect-src|https?:/)
  })
})
