import axe from "axe-core"
import { Effect } from "effect"
import { mkdir, mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import type { Browser, BrowserContextOptions, Page } from "playwright-core"
import { afterEach, beforeAll, describe, expect } from "vitest"
import { draw } from "../../src/testing/emulator/drawImage.js"
import { isSkipped, launch, whySkipped } from "./chromium.js"
import type { JournalRequest } from "./images.js"
import { galleryIn, png } from "./images.js"

export const hostile = `"><script>window.hacked = 1</script><img src=x onerror="window.hacked=1"> 'quoted' & <b>bold</b> <!--`

const drawn = (prompt: string) => draw({ prompt, model: "flux", seed: 7, index: 0, aspectRatio: "1:1" }, 256)

export const cafe = "caf\u00e9 #1? 100%25 'x' & \"y\" <z>"

const requests: Readonly<Record<string, JournalRequest>> = {
  lighthouse: { prompt: "a lighthouse at dawn", model: "Flux", seed: 7 },
  [cafe]: { prompt: "a cr\u00e8me caf\u00e9 in the rain", model: "Watercolor", seed: 4711 },
  wide: { prompt: hostile, model: "SDXL 1.0", seed: 8, key: "emulated-wide" },
  tall: { prompt: "x".repeat(900), model: "High GPT4o", seed: 11 },
  lines: { prompt: "first line\nsecond line\n".repeat(60), model: "Flux", seed: 12 },
  rtl: { prompt: "\u202eמגדלור עם שחר", model: "Flux", seed: 9 },
  many: { prompt: "a flock of starlings", model: "SDXL 1.0", seed: 10, n: 12 }
}

const images: Readonly<Record<string, Uint8Array>> = {
  "lighthouse-0.png": drawn("a lighthouse at dawn"),
  [`${cafe}-0.png`]: drawn("a cafe"),
  "wide-0.png": png(3000, 600),
  "tall-0.png": png(300, 2000),
  "lines-0.png": png(64, 64),
  "rtl-0.png": png(64, 64),
  ...Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`many-${String(index)}.png`, png(64, 64)])),
  "unknown.png": png(64, 64)
}
export const total = Object.keys(images).length

const problems: Array<string> = []
let browser: Browser
export let address: string
/** The address of a gallery with 500 images. */
export let manyAddress: string

/** Opens a page, the gallery by default. Every message of its console and every request to a server fails the test. */
export const opened = async (options: BrowserContextOptions = {}, url = address): Promise<Page> => {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, ...options })
  page.setDefaultTimeout(10_000)
  page.on("console", (message) => problems.push(`${message.type()}: ${message.text()}`))
  page.on("pageerror", (error) => problems.push(String(error)))
  page.on("requestfailed", (request) => {
    const reason = request.failure()?.errorText ?? "for no reason"
    // Leaving the page aborts the requests for its images.
    if (reason !== "net::ERR_ABORTED") problems.push(`${request.url()} failed: ${reason}`)
  })
  page.on("request", (request) => {
    if (!/^(file:|about:|data:)/.test(request.url()) && new URL(request.url()).origin !== new URL(url).origin)
      problems.push(`asked for ${request.url()}`)
  })
  await page.goto(url)
  return page
}

export const count = (page: Page) => page.getByRole("status").textContent()
export const thumbnail = (page: Page, name: string | RegExp) =>
  page.getByRole("link", { name }).and(page.locator(".thumbnail"))
export const viewer = (page: Page) => page.getByRole("dialog", { name: "Full-size view" })
export const fullSize = (page: Page) => viewer(page).getByRole("img")
export const open = (page: Page, file: string) => page.locator(`.thumbnail[data-file="${file}"]`).click()
export const isFocused = (page: Page, name: string | RegExp) =>
  thumbnail(page, name).evaluate((element) => element === document.activeElement)
export const files = (page: Page) =>
  page
    .locator(".grid .thumbnail")
    .evaluateAll((links) => links.map((link) => decodeURIComponent(link.getAttribute("href") ?? "")))
/** The facts in the full-size view. */
export const facts = async (page: Page) =>
  Object.fromEntries(
    await viewer(page)
      .locator("dl > div")
      .evaluateAll((rows) =>
        rows.map((row) => [row.querySelector("dt")?.textContent ?? "", row.querySelector("dd")?.textContent ?? ""])
      )
  ) as Readonly<Record<string, string>>
export const violations = async (page: Page) => {
  await page.evaluate(axe.source)
  const { violations } = await page.evaluate(() => (globalThis as unknown as { axe: typeof axe }).axe.run())
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`)
}

if (isSkipped) console.warn(`The tests of the gallery in a browser are skipped: ${whySkipped}.`)

/** Tests with a browser and two galleries on the disk. */
export const describeInBrowser = (title: string, define: () => void) => {
  // A browser takes its time on a busy machine.
  describe.skipIf(isSkipped)(`${title}${isSkipped ? ` (${whySkipped})` : ""}`, { timeout: 60_000 }, () => {
    beforeAll(async () => {
      browser = await launch()
      const directory = await mkdtemp(join(tmpdir(), "effect-arta-"))
      const many = join(directory, "many")
      await mkdir(many)
      const numbered = Object.fromEntries(
        Array.from({ length: 500 }, (_, index) => [`${String(index)}.png`, png(8, 8)])
      )
      manyAddress = pathToFileURL(await Effect.runPromise(galleryIn(many, numbered, {}))).href
      address = pathToFileURL(await Effect.runPromise(galleryIn(directory, images, requests))).href
      return async () => {
        await browser.close()
        await rm(directory, { recursive: true, force: true })
      }
    }, 60_000)

    afterEach(async () => {
      await Promise.all(browser.contexts().map((context) => context.close()))
      expect(problems.splice(0)).toEqual([])
    })

    define()
  })
}
