import { expect, it } from "vitest"
import {
  address,
  cafe,
  count,
  describeInBrowser,
  facts,
  files,
  manyAddress,
  open,
  opened,
  thumbnail,
  total,
  viewer,
  violations
} from "../../support/galleryPage.js"

describeInBrowser("The gallery in a browser", () => {
  it("loads every image for any file name", async () => {
    const page = await opened({ viewport: { width: 1280, height: 2400 } })
    const images = page.locator(".grid img")
    // The ninth tile of the card with 12 images stands for the rest.
    expect(await images.count()).toBe(total - 3)
    for (const image of await images.all()) {
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
    expect(await count(page)).toBe("19 images")
    for (const [text, expected] of [
      ["LIGHTHOUSE", ["lighthouse-0.png"]],
      ["CREME rain", [`${cafe}-0.png`]],
      ["4711", [`${cafe}-0.png`]],
      ["flux", ["lighthouse-0.png", "lines-0.png", "rtl-0.png"]],
      ["flux lighthouse", ["lighthouse-0.png"]],
      ["wide-0.png", ["wide-0.png"]],
      ["starlings many-1", ["many-1.png", "many-10.png", "many-11.png"]]
    ] as const) {
      await field.fill("")
      await field.pressSequentially(text)
      expect(await files(page)).toEqual(expected)
      expect(await count(page)).toBe(`${String(expected.length)} of 19 images`)
    }
  })

  it("filters by model, and sorts", async () => {
    const page = await opened()
    const flux = page.getByRole("button", { name: "Flux 3" })
    await flux.click()
    expect(await flux.getAttribute("aria-pressed")).toBe("true")
    await page.getByRole("button", { name: "Watercolor 1" }).click()
    expect(await files(page)).toEqual(["lighthouse-0.png", `${cafe}-0.png`, "lines-0.png", "rtl-0.png"])
    await page.getByLabel("Sort").selectOption("By prompt")
    expect((await files(page)).slice(0, 2)).toEqual([`${cafe}-0.png`, "lighthouse-0.png"])
    await page.getByLabel("Sort").selectOption("By seed")
    expect(await files(page)).toEqual(["lighthouse-0.png", "rtl-0.png", "lines-0.png", `${cafe}-0.png`])
    await page.getByLabel("Filter").fill("4711")
    expect(await files(page)).toEqual([`${cafe}-0.png`])
    await flux.click()
    await page.getByRole("button", { name: "Watercolor 1" }).click()
    await page.getByLabel("Filter").fill("")
    expect(await count(page)).toBe("19 images")
  })

  it("shows a notice when nothing matches, and shows all images again", async () => {
    const page = await opened()
    const notice = page.getByText("Nothing matches")
    expect(await notice.isVisible()).toBe(false)
    await page.getByLabel("Filter").fill("<b>zebra</b>")
    expect(await notice.textContent()).toContain("Nothing matches “<b>zebra</b>”.")
    expect(await notice.isVisible()).toBe(true)
    expect(await count(page)).toBe("0 of 19 images")
    await page.getByRole("button", { name: "Show all images" }).click()
    expect(await notice.isVisible()).toBe(false)
    expect(await count(page)).toBe("19 images")
  })

  it("shows the images of a request in one card", async () => {
    const page = await opened({ viewport: { width: 1280, height: 2400 } })
    const card = page.getByRole("listitem").filter({ hasText: "a flock of starlings" })
    expect(await card.getByRole("link").count()).toBe(9)
    expect(await card.getByText("+4").isVisible()).toBe(true)
    expect(await card.getByText("12 images").isVisible()).toBe(true)
    await open(page, "many-8.png")
    expect(await facts(page)).toMatchObject({ Image: "9 of 12", File: "many-8.png" })
    for (let step = 0; step < 3; step += 1) await page.keyboard.press("ArrowRight")
    expect(await facts(page)).toMatchObject({ Image: "12 of 12", File: "many-11.png" })
    await page.keyboard.press("ArrowRight")
    expect(await facts(page)).not.toHaveProperty("Image")
  })

  it("keeps marks after a reload, and shows only the marked images", async () => {
    const page = await opened()
    await page.getByRole("button", { name: "Mark rtl-0.png" }).click()
    await open(page, "lighthouse-0.png")
    await page.keyboard.press("m")
    expect(await viewer(page).getByRole("button", { name: "Mark this image" }).getAttribute("aria-pressed")).toBe(
      "true"
    )
    await page.keyboard.press("Escape")
    await page.waitForFunction(() => location.hash === "")
    await page.reload()
    await page.getByRole("button", { name: "Marked 2" }).click()
    expect(await files(page)).toEqual(["lighthouse-0.png", "rtl-0.png"])
    await page.getByRole("button", { name: "Mark rtl-0.png" }).click()
    expect(await files(page)).toEqual(["lighthouse-0.png"])
    await page.getByRole("button", { name: "Mark lighthouse-0.png" }).click()
    expect(await count(page)).toBe("19 images")
  })

  it("works if the browser forbids storage", async () => {
    const page = await opened({}, "about:blank")
    await page.addInitScript(() => {
      Object.defineProperty(globalThis, "localStorage", {
        get: () => {
          throw new DOMException("The operation is insecure.", "SecurityError")
        }
      })
    })
    await page.goto(address)
    await page.getByRole("button", { name: "Mark rtl-0.png" }).click()
    await page.getByRole("button", { name: "Marked 1" }).click()
    expect(await files(page)).toEqual(["rtl-0.png"])
  })

  it.each(["light", "dark"] as const)("follows the %s scheme without accessibility violations", async (colorScheme) => {
    const page = await opened({ colorScheme, viewport: { width: 1280, height: 2000 } })
    const [background = 0, text = 0] = await page.evaluate(() => {
      const { backgroundColor, color } = getComputedStyle(document.body)
      return [backgroundColor, color].map((text) => Number(/\d+/.exec(text)?.[0]))
    })
    expect((colorScheme === "light" ? 1 : -1) * (background - text)).toBeGreaterThan(150)
    expect(await violations(page)).toEqual([])
    await page.getByRole("button", { name: "Flux 3" }).click()
    await page.getByRole("button", { name: "Mark rtl-0.png" }).click()
    expect(await violations(page)).toEqual([])
    await open(page, "lines-0.png")
    expect(await violations(page)).toEqual([])
    await page.keyboard.press("ArrowRight")
    await viewer(page).getByRole("button", { name: "Zoom to 100 %" }).click()
    await viewer(page).getByRole("button", { name: "Copy prompt" }).click()
    expect(await violations(page)).toEqual([])
  })

  it.each([320, 360, 700, 1920])("fits a width of %d pixels", async (width) => {
    const page = await opened({ viewport: { width, height: 740 } })
    const overflow = () =>
      page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
    expect(await overflow()).toBeLessThanOrEqual(0)
    for (const box of await page.locator("figcaption, .thumbnail, .controls").all()) {
      const { width: inner, x = 0 } = (await box.boundingBox()) ?? { width: 0 }
      expect(x + inner).toBeLessThanOrEqual(width)
      expect(await box.evaluate((element) => element.scrollWidth - element.clientWidth)).toBeLessThanOrEqual(0)
    }
    await page.locator(".thumbnail").first().click()
    expect(await overflow()).toBeLessThanOrEqual(0)
  })

  it("has only the cards in view in the document, and all of them in print", async () => {
    const page = await opened({ viewport: { width: 700, height: 600 } }, "about:blank")
    const requests: Array<string> = []
    page.on("request", (request) => requests.push(request.url()))
    await page.goto(manyAddress)
    expect(await count(page)).toBe("500 images")
    expect(requests.length).toBeLessThan(60)
    expect((await files(page)).length).toBeLessThan(40)
    await page.evaluate(() => {
      scrollTo(0, document.documentElement.scrollHeight)
    })
    await expect.poll(async () => (await files(page)).at(-1)).toBe("499.png")
    expect((await files(page)).length).toBeLessThan(40)

    await page.emulateMedia({ media: "print" })
    await page.evaluate(() => dispatchEvent(new Event("beforeprint")))
    expect((await files(page)).length).toBe(500)
    expect(await page.getByLabel("Filter").isVisible()).toBe(false)
    expect(await page.getByRole("button").count()).toBe(0)
    await page.evaluate(() => dispatchEvent(new Event("afterprint")))
    await page.emulateMedia({ media: "screen" })
    await expect.poll(async () => (await files(page)).length).toBeLessThan(40)
  })

  it("links to the files without JavaScript", async () => {
    const page = await opened({ javaScriptEnabled: false })
    expect(await page.getByLabel("Filter").isVisible()).toBe(false)
    expect(await count(page)).toBe("19 images")
    expect((await files(page)).length).toBe(total)
    await thumbnail(page, "a cr\u00e8me caf\u00e9 in the rain").click()
    await page.waitForURL(/caf/)
    expect(decodeURIComponent(page.url())).toContain(`${cafe}-0.png`)
  })
})
