import { Effect } from "effect"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import type { Browser, BrowserContextOptions, Page } from "playwright-core"
import { afterEach, beforeAll, describe, expect, it } from "vitest"
import { draw } from "../../../src/testing/emulator/drawImage.js"
import { isSkipped, launch, whySkipped } from "../../support/chromium.js"
import { galleryIn, png } from "../../support/images.js"

const hostile = `"><script>window.hacked = 1</script><img src=x onerror="window.hacked=1"> 'quoted' & <b>bold</b>`

const generated = (prompt: string, model: string, seed: number) => ({
  bytes: draw({ prompt, model, seed, index: 0, aspectRatio: "1:1" }),
  details: { prompt, model, seed }
})

const images = {
  "lighthouse-7-0.png": generated("a lighthouse at dawn", "flux", 7),
  "caf\u00e9 #1? 100%25 'x' & \"y\" <z>.png": generated("a cr\u00e8me caf\u00e9 in the rain", "sdxl", 4711),
  "wide.png": { bytes: png(3000, 600), details: { prompt: hostile, model: hostile, seed: 8 } },
  "tall.png": { bytes: png(300, 2000), details: { prompt: "x".repeat(900), model: "y".repeat(200) } },
  "lines.png": { bytes: png(64, 64), details: { prompt: "first line\nsecond line\n".repeat(60), model: "flux" } },
  "rtl.png": { bytes: png(64, 64), details: { prompt: "\u202eמגדלור עם שחר", model: "flux", seed: 9 } },
  "unknown.png": { bytes: png(64, 64), details: {} }
}
const total = Object.keys(images).length

const problems: Array<string> = []
let browser: Browser
let address: string

const opened = async (options: BrowserContextOptions = {}): Promise<Page> => {
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
    if (!request.url().startsWith("file://")) problems.push(`asked for ${request.url()}`)
  })
  await page.goto(address)
  return page
}

const count = (page: Page) => page.getByRole("status").textContent()
const thumbnail = (page: Page, name: string | RegExp) =>
  page.getByRole("link", { name }).and(page.locator(".thumbnail"))
const viewer = (page: Page) => page.getByRole("dialog", { name: "Full-size view" })
const fullSize = (page: Page) => viewer(page).getByRole("img")
const isFocused = (page: Page, name: string | RegExp) =>
  thumbnail(page, name).evaluate((element) => element === document.activeElement)
const files = (page: Page) =>
  page
    .locator(".grid > li:visible .thumbnail")
    .evaluateAll((links) => links.map((link) => decodeURIComponent(link.getAttribute("href") ?? "")))

if (isSkipped) console.warn(`The tests of the gallery in a browser are skipped: ${whySkipped}.`)

const title = `The gallery in a browser${isSkipped ? ` (${whySkipped})` : ""}`

// A browser takes its time on a busy machine.
describe.skipIf(isSkipped)(title, { timeout: 60_000 }, () => {
  beforeAll(async () => {
    browser = await launch()
    const directory = await mkdtemp(join(tmpdir(), "effect-arta-"))
    address = pathToFileURL(await Effect.runPromise(galleryIn(directory, images))).href
    return async () => {
      await browser.close()
      await rm(directory, { recursive: true, force: true })
    }
  }, 60_000)

  afterEach(async () => {
    await Promise.all(browser.contexts().map((context) => context.close()))
    expect(problems.splice(0)).toEqual([])
  })

  it("loads every image for any file name", async () => {
    const page = await opened()
    const images = page.locator(".grid img")
    expect(await images.count()).toBe(total)
    for (const image of await images.all()) {
      await image.scrollIntoViewIfNeeded()
      await expect
        .poll(() =>
          image.evaluate((element: HTMLImageElement) => [
            element.naturalWidth > 0,
            String(element.naturalWidth) === element.getAttribute("width"),
            String(element.naturalHeight) === element.getAttribute("height")
          ])
        )
        .toEqual([true, true, true])
    }
  })

  it("filters while typing, by prompt, model, seed and file name", async () => {
    const page = await opened()
    const field = page.getByLabel("Filter")
    expect(await count(page)).toBe("7 images")
    for (const [text, expected] of [
      ["LIGHTHOUSE", ["lighthouse-7-0.png"]],
      ["CREME rain", [Object.keys(images)[1]]],
      ["4711", [Object.keys(images)[1]]],
      ["flux", ["lighthouse-7-0.png", "lines.png", "rtl.png"]],
      ["flux lighthouse", ["lighthouse-7-0.png"]],
      ["wide.png", ["wide.png"]]
    ] as const) {
      await field.fill("")
      await field.pressSequentially(text)
      expect(await files(page)).toEqual(expected)
      expect(await count(page)).toBe(`${String(expected.length)} of 7 images`)
    }
    await field.press("Enter")
    expect(await count(page)).toBe("1 of 7 images")
  })

  it("shows a notice when nothing matches, and shows all images again", async () => {
    const page = await opened()
    const notice = page.getByText("Nothing matches")
    expect(await notice.isVisible()).toBe(false)
    await page.getByLabel("Filter").fill("<b>zebra</b>")
    expect(await notice.textContent()).toContain("Nothing matches “<b>zebra</b>”.")
    expect(await notice.isVisible()).toBe(true)
    expect(await count(page)).toBe("0 of 7 images")
    expect(await page.locator("[aria-live=polite]").first().textContent()).toBe("0 of 7 images")
    await page.getByRole("button", { name: "Show all images" }).click()
    expect(await notice.isVisible()).toBe(false)
    expect(await count(page)).toBe("7 images")
  })

  it("works with the keyboard", async () => {
    const page = await opened()
    await page.keyboard.press("Tab")
    expect(await page.getByLabel("Filter").evaluate((element) => element === document.activeElement)).toBe(true)
    await page.keyboard.type("flux")
    await page.keyboard.press("Tab")
    expect(await isFocused(page, "a lighthouse at dawn")).toBe(true)
    await page.keyboard.press("Enter")
    expect(await viewer(page).getByText("a lighthouse at dawn").isVisible()).toBe(true)
    const places = []
    for (const key of ["ArrowRight", "ArrowRight", "ArrowRight", "ArrowLeft", "ArrowLeft"]) {
      await page.keyboard.press(key)
      const source = await fullSize(page).getAttribute("src")
      places.push(`${String(source)}, ${String(await viewer(page).locator(".place").textContent())}`)
    }
    const [first, second, third] = ["lighthouse-7-0.png, 1 of 3", "lines.png, 2 of 3", "rtl.png, 3 of 3"]
    expect(places).toEqual([second, third, first, third, second])
    await page.keyboard.press("Escape")
    expect(await viewer(page).isVisible()).toBe(false)
    await expect.poll(() => isFocused(page, /^first line/)).toBe(true)
  })

  it("works with the mouse", async () => {
    const page = await opened()
    await thumbnail(page, "a lighthouse at dawn").click()
    expect(await viewer(page).getByText("Seed 7").isVisible()).toBe(true)
    await viewer(page).getByRole("button", { name: "Next image" }).click()
    expect(await fullSize(page).getAttribute("alt")).toBe("a cr\u00e8me caf\u00e9 in the rain")
    await viewer(page).getByRole("button", { name: "Previous image" }).click()
    await fullSize(page).click()
    await viewer(page).getByText("a lighthouse at dawn").click()
    expect(await viewer(page).isVisible()).toBe(true)
    await page.mouse.click(200, 200)
    expect(await viewer(page).isVisible()).toBe(false)
    await expect.poll(() => isFocused(page, "a lighthouse at dawn")).toBe(true)
    await thumbnail(page, "a lighthouse at dawn").click()
    await viewer(page).getByRole("button", { name: "Close" }).click()
    expect(await viewer(page).isVisible()).toBe(false)
    expect(page.url()).toBe(address)
  })

  it.each([
    ["wide.png", 1280, 800],
    ["tall.png", 1280, 800],
    ["lines.png", 1280, 800],
    ["wide.png", 360, 640],
    ["tall.png", 360, 640]
  ])("shows %s whole on a screen of %d × %d pixels", async (file, width, height) => {
    const page = await opened({ viewport: { width, height } })
    await page.locator(`.thumbnail[href="${file}"]`).click()
    const box = await fullSize(page).boundingBox()
    const proportion = await fullSize(page).evaluate(
      (image) => Number(image.getAttribute("width")) / Number(image.getAttribute("height"))
    )
    if (box === null) throw new Error("There is no image.")
    expect(box.x).toBeGreaterThanOrEqual(0)
    expect(box.y).toBeGreaterThanOrEqual(0)
    expect(box.x + box.width).toBeLessThanOrEqual(width)
    expect(box.y + box.height).toBeLessThanOrEqual(height)
    expect(Math.abs(box.width - box.height * proportion)).toBeLessThan(2)
    const caption = await viewer(page).locator("figcaption").boundingBox()
    expect((caption?.y ?? height) + (caption?.height ?? 0)).toBeLessThanOrEqual(height)
  })

  it("shows a prompt with HTML as text and runs nothing in it", async () => {
    const page = await opened()
    await thumbnail(page, hostile).click()
    expect(await viewer(page).locator(".prompt").textContent()).toBe(hostile)
    await page.keyboard.press("Escape")
    const item = page.locator("li", { has: page.locator(`[href="wide.png"]`) })
    expect(await item.locator(".prompt").textContent()).toBe(hostile)
    expect(await item.getByRole("img").getAttribute("alt")).toBe(hostile)
    expect(await page.evaluate(() => "hacked" in window)).toBe(false)
    expect(await page.locator("img").count()).toBe(total + 1)
    expect(await page.locator("script").count()).toBe(1)
  })

  it("follows the light and the dark scheme", async () => {
    const page = await opened({ colorScheme: "light" })
    const colors = () =>
      page.evaluate(() => {
        const { backgroundColor, color } = getComputedStyle(document.body)
        return [backgroundColor, color].map((text) => Number(/\d+/.exec(text)?.[0]))
      })
    const [page1 = 0, text1 = 0] = await colors()
    await page.emulateMedia({ colorScheme: "dark" })
    const [page2 = 0, text2 = 0] = await colors()
    expect(page1).toBeGreaterThan(text1 + 150)
    expect(text2).toBeGreaterThan(page2 + 150)
  })

  it.each([360, 700, 1920])("fits a width of %d pixels", async (width) => {
    const page = await opened({ viewport: { width, height: 740 } })
    const overflow = () =>
      page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
    expect(await overflow()).toBe(0)
    for (const box of await page.locator("figcaption, .thumbnail, .filter").all()) {
      const { width: inner, x = 0 } = (await box.boundingBox()) ?? { width: 0 }
      expect(x + inner).toBeLessThanOrEqual(width)
      expect(await box.evaluate((element) => element.scrollWidth - element.clientWidth)).toBeLessThanOrEqual(0)
    }
  })

  it("links to the files without JavaScript", async () => {
    const page = await opened({ javaScriptEnabled: false })
    expect(await page.getByLabel("Filter").isVisible()).toBe(false)
    expect(await count(page)).toBe("7 images")
    await thumbnail(page, "a cr\u00e8me caf\u00e9 in the rain").click()
    await page.waitForURL(/caf/)
    expect(decodeURIComponent(page.url())).toContain(Object.keys(images)[1])
  })
})
